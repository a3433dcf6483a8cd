/** Looks at a process again and again, for whoever waits for its answer: one that is stopped or frozen is waited for less long. */
import { isPaused } from './paused.ts';
import { processState } from './process-state.ts';

/** The pause between two looks. */
export const LOOK_MS = 250;

/** A process that is stopped may be in a debugger, or be continued in a moment. */
export const STOPPED_MS = 10_000;

export class StoppedLooks {
  #looks = 0;

  /** Called every LOOK_MS: for how many milliseconds each look has found the process stopped or frozen. */
  look(pid: number): number {
    this.#looks = isPaused(processState(pid)) ? this.#looks + 1 : 0;
    return this.#looks * LOOK_MS;
  }
}
