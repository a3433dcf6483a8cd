/**
 * Makes a command line whose program leads a process group that gets SIGTERM when this process dies, however it dies.
 * SIGTERM and not SIGKILL, because a program such as qemu-nbd holds some of what it has acknowledged in memory, and stores
 * it when it is asked to end.
 *
 * A guard in the group reads from a pipe that only this process can write to. The parent-death signal of the kernel would
 * not do: it reaches one process and not its children, and a program that changes its user loses it (PR_SET_PDEATHSIG(2)).
 */

/** The descriptor of the program's end of the pipe. */
const PIPE = 3;

/**
 * The shell becomes the program, so its id ($$) is that of the group. The guard is not a child of the program, which may
 * wait for all its children. It ends with the group: it ignores SIGTERM only when it is about to send it, and then
 * continues what a signal has stopped.
 */
const SCRIPT = `( (read -r _; trap '' TERM; kill -s TERM -- "-$$"; kill -s CONT -- "-$$") <&${PIPE} >/dev/null 2>&1 ${PIPE}<&- &)
exec "$@" ${PIPE}<&-`;

/** To be spawned in a session of its own, with a pipe as its descriptor 3 that stays open as long as this process lives. */
export function guarded(file: string, args: readonly string[]): [string, string[]] {
  return ['/bin/sh', ['-c', SCRIPT, 'sh', file, ...args]];
}
