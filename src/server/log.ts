/** The log of a server: its standard error. */
import { serverLog } from '../targets/log.ts';

/** Never throws. A write to process.stderr that fails, as it does when /run is full, would end the process. */
export function log(text: string): void {
  serverLog(text);
}

/** What the code of a target writes to the console goes to the log too, and must not end the server either. */
export function surviveFullLog(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
