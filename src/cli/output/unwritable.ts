/**
 * Handles output that cannot be written, for example because its disk is full. oclif throws an error of stdout out of the event
 * loop, and Node does so with an error of stderr. That would end the process, even one that has a device in the foreground.
 */

/**
 * Lets the command go on when its output cannot be written, and end with 1. A reader that has gone is no failure. oclif adds a
 * listener of its own when it is loaded, so this is called before that and after.
 */
export function reportUnwritable(): void {
  process.stdout.removeAllListeners('error');
  let isTold = false;
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || isTold) return;
    isTold = true;
    process.exitCode = 1;
    process.stderr.write(`ublkts: cannot write to stdout: ${code ?? message}\n`);
  });
  process.stderr.removeAllListeners('error');
  // There is nowhere left to say so, and what was asked may be done all the same, as with a note that cannot be written.
  process.stderr.on('error', () => {});
}
