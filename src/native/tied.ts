/**
 * Makes a command line whose program the kernel ends when this process dies, however it dies, so that nothing goes on building or
 * emulating that nobody waits for. `setpriv` exits with 127 and NOT_STARTED on stderr when there is no such program; so does an
 * `unshare` that it starts.
 */
export function tiedToThisProcess(signal: 'TERM' | 'KILL', file: string, args: readonly string[]): [string, string[]] {
  return ['setpriv', ['--pdeathsig', signal, file, ...args]];
}

export const NOT_STARTED = /^(?:setpriv|unshare): failed to execute /m;
