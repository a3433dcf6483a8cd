/**
 * Notices a Node that will never run its script. Node starts the threads of its platform first, and where it may not start
 * all of them (`ulimit -u`, pids.max) it waits for the others for ever (seen with Node 24 and 26).
 */
import { type ProcessFacts, readProcess } from '../../record/process-state.ts';

/** The pause between two looks. */
export const LOOK_MS = 1_000;
/** A Node that starts uses the processor, or waits for a disk (state D). */
export const HUNG_MS = 15_000;

export class HungStart {
  #looks = 0;
  #ticks = -1;

  /** Called every LOOK_MS: for how many milliseconds each look has found the process asleep, without having run in between. */
  look(pid: number, { isAsleep, ticks }: Pick<ProcessFacts, 'isAsleep' | 'ticks'> = readProcess(pid)): number {
    this.#looks = isAsleep && ticks === this.#ticks ? this.#looks + 1 : 0;
    this.#ticks = ticks;
    return this.#looks * LOOK_MS;
  }
}
