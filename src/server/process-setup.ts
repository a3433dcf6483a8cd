/**
 * What a server does once for its whole process, when the threads of its first device have loaded what they need and
 * have optimized nothing yet.
 */
import { lockProgram } from './out-of-memory.ts';
import { inlineMore } from './v8-flags.ts';

export class ProcessSetup {
  #isDone = false;

  /** Returns the notes that this calls for. */
  run(): string[] {
    if (this.#isDone) return [];
    this.#isDone = true;
    inlineMore();
    return lockProgram();
  }
}
