/** Says on descriptor 3 that a server runs, and then, once, whether it has started. */
import { closeSync, writeSync } from 'node:fs';
import { encodeStartReport, RUNS, type StartReport } from '../protocol/start-report.ts';

const REPORT_FD = 3;

export class StartReporter {
  #reported = false;

  constructor() {
    this.#attempt(() => writeSync(REPORT_FD, RUNS));
  }

  /** Only the first report is sent: what fails later has nobody to tell. */
  report(message: StartReport): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#attempt(() => {
      writeSync(REPORT_FD, encodeStartReport(message));
      closeSync(REPORT_FD);
    });
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch {
      // The process that started this one is gone; the device is served all the same.
    }
  }
}
