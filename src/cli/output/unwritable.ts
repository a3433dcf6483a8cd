/**
 * What becomes of output that cannot be written, because the disk below it is full for example. oclif throws an error of
 * stdout out of the event loop, and Node one of stderr. That ends the process: also one that has a device in the foreground.
 */

/**
 * The command goes on, and ends with 1. A reader that has gone is no failure. It takes oclif's place when it is called once
 * more after oclif was loaded.
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
  // There is nowhere left to say so.
  process.stderr.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') process.exitCode ??= 1;
  });
}
