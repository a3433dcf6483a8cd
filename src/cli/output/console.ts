/**
 * `console.log` in the file of a target, which runs in the process of a command too: what it prints is no result of the
 * command, and would break the JSON that another program reads.
 */
export function printConsoleOnStderr(): void {
  const { error } = console;
  // Every other function that prints to stdout calls `log`.
  Object.assign(console, { log: error, info: error, debug: error, dir: error });
}
