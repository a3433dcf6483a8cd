/**
 * The plain data path: the kernel copies a write's data into the slot's buffer before it delivers the request, and a
 * read's data out of it when the request is committed. It is also the path of `-g`, where the kernel waits with the
 * copy of a write until the server asks for it.
 *
 * The buffer is the server's from delivery to commit. Every command tells the kernel its address.
 */
import { DATA_PATHS } from '../../spec/data-paths.ts';
import { STAT_WAYS } from '../../stats/layout.ts';
import type { Slots } from '../slots.ts';
import type { DataPath } from './data-path.ts';

export class CopyPath implements DataPath {
  private readonly way = STAT_WAYS.indexOf(DATA_PATHS.copy.countedAs);

  constructor(slots: Slots) {
    slots.commandLo.set(slots.bufferLo);
    slots.commandHi.set(slots.bufferHi);
  }

  wayOf(): number {
    return this.way;
  }

  arrive(): boolean {
    return true;
  }

  attach(): void {}

  depart(): boolean {
    return true;
  }

  operationDone(): boolean {
    return false;
  }
}
