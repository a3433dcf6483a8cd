/**
 * `console.log` in the file of a target, which runs in the process of a command too: what it prints is no result of the
 * command, and would break the JSON that another program reads.
 */
import { inspect, type InspectOptions } from 'node:util';

export function printConsoleOnStderr(): void {
  const { error } = console;
  const dir = (value: unknown, options: InspectOptions = {}): void => error(inspect(value, options));
  // The others that print to stdout (table, group, count, time) call `log`.
  Object.assign(console, { log: error, info: error, debug: error, dirxml: error, dir });
}
