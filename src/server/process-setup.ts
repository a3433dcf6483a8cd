/** What a server does once for its whole process. */
import { refuseHugePages } from '../native/libc/calls.ts';
import { lockProgram } from './out-of-memory.ts';
import { inlineMore } from './v8-flags.ts';

export class ProcessSetup {
  #isDone = false;

  /**
   * The kernel's khugepaged makes huge pages of small ones, also of a program's code, and keeps them locked meanwhile. It has
   * the lowest priority: while other programs wanted the CPU, a queue thread waited 150 to 230 ms for a page of Node's code
   * (docs/performance.md, "Devices that come and go"). It passes over a process that refuses huge pages.
   */
  constructor() {
    refuseHugePages();
  }

  /**
   * Is called when the threads of the first device have loaded what they need and have optimized nothing yet. Returns the
   * notes that this calls for.
   */
  run(): string[] {
    if (this.#isDone) return [];
    this.#isDone = true;
    inlineMore();
    return lockProgram();
  }
}
