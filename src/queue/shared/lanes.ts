/**
 * The lanes of a shared thread, by number: what each has, and how many of its tags the driver still has.
 *
 * Contract: the arrays are as long as there can be lanes, and are made once. A lane is served from `open` to `close`; a
 * completion for a slot always belongs to the lane that `of` says, because the slots of a lane are given out again only
 * when the driver has given back every tag.
 */
import type { StatsWriter } from '../../stats/writer.ts';
import type { TargetQueue } from '../../targets/target.ts';
import type { LaneConfig } from './lane-config.ts';

export interface OpenLane {
  readonly config: LaneConfig;
  readonly target: TargetQueue;
  readonly writer: StatsWriter;
  /** The index in STAT_WAYS of the way that its data travels. */
  readonly way: number;
}

export class Lanes {
  /** The lane of each slot. */
  readonly of: Uint16Array;
  /** By lane: the registered index of the char device. */
  readonly charFile: Int32Array;
  readonly way: Int32Array;
  /** By lane: the tags that the driver has not given back. */
  readonly tags: Int32Array;
  /** By lane: the first error with which a command was refused; 0: none was. */
  readonly problem: Int32Array;
  readonly targets: (TargetQueue | undefined)[];
  readonly writers: (StatsWriter | undefined)[];
  private readonly configs: (LaneConfig | undefined)[];

  constructor(slots: number, lanes: number) {
    this.of = new Uint16Array(slots);
    this.charFile = new Int32Array(lanes);
    this.way = new Int32Array(lanes);
    this.tags = new Int32Array(lanes);
    this.problem = new Int32Array(lanes);
    this.targets = Array.from({ length: lanes }, () => undefined);
    this.writers = Array.from({ length: lanes }, () => undefined);
    this.configs = Array.from({ length: lanes }, () => undefined);
  }

  open({ config, target, writer, way }: OpenLane): void {
    const { lane, firstSlot, firstFile, spec } = config;
    this.of.fill(lane, firstSlot, firstSlot + spec.depth);
    this.charFile[lane] = firstFile;
    this.way[lane] = way;
    this.tags[lane] = 0;
    this.problem[lane] = 0;
    this.targets[lane] = target;
    this.writers[lane] = writer;
    this.configs[lane] = config;
  }

  config(lane: number): LaneConfig {
    const config = this.configs[lane];
    if (config === undefined) throw new RangeError(`there is no lane ${lane}`);
    return config;
  }

  /** What the lane has; undefined when it is not open. */
  find(lane: number): Pick<OpenLane, 'config' | 'writer'> | undefined {
    const [config, writer] = [this.configs[lane], this.writers[lane]];
    return config === undefined || writer === undefined ? undefined : { config, writer };
  }

  close(lane: number): void {
    this.targets[lane] = undefined;
    this.writers[lane] = undefined;
    this.configs[lane] = undefined;
  }
}
