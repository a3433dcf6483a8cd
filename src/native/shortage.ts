/**
 * Recognises errors that say that descriptors, threads or memory have run out. Code that treats an unreadable file as a
 * missing one has to rethrow these: otherwise `list` would show no devices when no file can be opened.
 */
import { UblkError } from '../errors.ts';
import { textOfCode } from './uapi/errno.ts';

export const THREADS_HINT =
  'no more threads may be started: see `ulimit -u`, pids.max of the control group, `sysctl kernel.threads-max`';

/** Hints that name the limit behind each error. */
const HINTS: Readonly<Record<string, string>> = {
  EMFILE: 'raise the limit of open files: `ulimit -n 1024`, or LimitNOFILE= in a systemd unit',
  ENFILE: 'the whole machine has too many files open: raise the limit with `sysctl fs.file-max`',
  EAGAIN: THREADS_HINT,
  ENOMEM: 'memory is short, or limited: see `free`, `ulimit -v`, and memory.max of the control group',
};

const SCARCE: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Throws a UblkError if the error of a file operation says that something has run out, and returns otherwise. */
export function throwShortage(error: unknown): void {
  if (SCARCE.has(codeOf(error))) throw shortageOf(error) ?? error;
}

/**
 * Turns an error of the system about a file, a process or a worker thread into a UblkError with the limit as its hint.
 * Returns undefined for every other error, which is then a defect of ublkts.
 */
export function shortageOf(error: unknown): UblkError | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error);
  if (HINTS[code] === undefined) return undefined;
  const { syscall, path } = error as NodeJS.ErrnoException;
  const what = syscall === undefined ? 'a worker thread' : wordsOf(syscall, path);
  return new UblkError(`${what}: ${textOfCode(code)}`, {
    code,
    ...(syscall === undefined ? {} : { command: syscall.split(' ')[0] ?? syscall }),
    hint: HINTS[code],
    cause: error,
  });
}

/** Turns the error of a process that could not be started into a UblkError, and returns every other error as it is. */
export function spawnFailure(error: unknown): unknown {
  const shortage = shortageOf(error);
  if (shortage !== undefined || !(error instanceof Error)) return shortage ?? error;
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  const program = /^spawn(?: (.+))?$/.exec(syscall)?.[1];
  if (program === undefined && syscall !== 'spawn') return error;
  return new UblkError(`cannot start ${program ?? 'a process'}: ${textOfCode(code)}`, {
    code,
    kind: 'failed',
    command: 'spawn',
    // The error of a missing /dev/null names the program, too. One that is thrown at once (E2BIG) names none.
    ...(program === undefined ? {} : { hint: `\`ls -l ${program} /dev/null\` shows what is missing: both are needed` }),
    cause: error,
  });
}

/** Whether it is the error of a process that could not be started, or of one without the kernel's worker. */
export function isUnstarted(error: unknown): boolean {
  return error instanceof UblkError && (error.command === 'spawn' || error.code === 'ECANCELED');
}

/** The call and its path, such as `open /x`. For a spawn, Node has the program in the name of the call already. */
function wordsOf(syscall: string, path: string | undefined): string {
  return path === undefined || syscall.endsWith(` ${path}`) ? syscall : `${syscall} ${path}`;
}

/**
 * The hint for what a process printed before it gave up, or undefined when that is not about something that ran out.
 */
export function shortageHint(said: string): string | undefined {
  if (/EMFILE|Too many open files/.test(said)) return HINTS['EMFILE'];
  if (/EAGAIN|Resource temporarily unavailable|thread_create|pthread_create|WorkerThread/.test(said))
    return HINTS['EAGAIN'];
  return /out of memory|OOM|ENOMEM|Cannot allocate memory|allocation failed/i.test(said) ? HINTS['ENOMEM'] : undefined;
}

/**
 * The errno name of an error. For a worker that does not start, Node has a code of its own and the errno in the
 * message.
 */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'ENOMEM';
  return code === 'ERR_WORKER_INIT_FAILED' ? (/: (E[A-Z]+)$/.exec(message)?.[1] ?? 'EAGAIN') : code;
}
