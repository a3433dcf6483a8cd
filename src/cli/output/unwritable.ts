/**
 * What becomes of output that cannot be written, because the disk below stdout is full for example. oclif throws the error
 * out of the event loop, which ends the process with a stack: also one that has a device in the foreground.
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
}
