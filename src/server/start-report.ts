/** Says on descriptor 3, once, whether a server has started. */
import { closeSync, writeSync } from 'node:fs';
import { encodeStartReport, type StartReport } from '../protocol/start-report.ts';

const REPORT_FD = 3;

export class StartReporter {
  #reported = false;

  /** Only the first report is sent: what fails later has nobody to tell. */
  report(message: StartReport): void {
    if (this.#reported) return;
    this.#reported = true;
    try {
      writeSync(REPORT_FD, encodeStartReport(message));
      closeSync(REPORT_FD);
    } catch {
      // The process that started this one is gone; the device is served all the same.
    }
  }
}
