/**
 * The plain path (also `-g`, where the copy of a write waits until the server asks for it): the kernel copies a write's
 * data into the slot's buffer before it delivers the request, and a read's out of it when it is committed.
 *
 * The buffer is the server's from delivery to commit; the kernel is told its address with every command.
 */
import { DATA_PATHS } from '../../spec/data-paths.ts';
import { STAT_WAYS } from '../../stats/layout.ts';
import type { Request } from '../request.ts';
import type { Slots } from '../slots.ts';
import type { DataPath } from './data-path.ts';

export class CopyPath implements DataPath {
  readonly way = STAT_WAYS.indexOf(DATA_PATHS.copy.countedAs);
  private readonly slots: Slots;

  constructor(slots: Slots) {
    this.slots = slots;
    slots.commandLo.set(slots.bufferLo);
    slots.commandHi.set(slots.bufferHi);
  }

  arrive(io: Request): boolean {
    this.locate(io);
    return true;
  }

  locate(io: Request): void {
    io.locate(this.slots.bufferLo[io.slot]!, this.slots.bufferHi[io.slot]!, -1);
  }

  attach(): void {}

  depart(): boolean {
    return true;
  }

  operationDone(): void {}
}
