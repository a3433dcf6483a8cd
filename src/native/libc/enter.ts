/**
 * `io_uring_enter` for a queue thread: the one system call of the data path (docs/decisions/0001 and 0010).
 *
 * Where possible, the call is a function without arguments, in a library that is made here. Converting one argument
 * takes longer than running this function, and Node calls a function without arguments directly from compiled code.
 * Elsewhere the call is libc's `syscall` through koffi.
 */
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { ERRNO } from '../uapi/errno.ts';
import { F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_WRITE } from '../uapi/fcntl.ts';
import { MFD_ALLOW_SEALING, MFD_CLOEXEC } from '../uapi/mman.ts';
import { closeDescriptor, systemError } from './calls.ts';
import { enterCode } from './enter-code.ts';
import { callInt } from './ffi.ts';
import { addSeals } from './seals.ts';
import { knowsProcessor, sharedObject } from './shared-object.ts';

const SYS_io_uring_enter = 426;
/** The errors of memfd_create(2) where a seccomp filter, a security module or vm.memfd_noexec refuses the file itself. */
const REFUSED: readonly number[] = [ERRNO.EACCES, ERRNO.EINVAL, ERRNO.ENOSYS, ERRNO.EPERM];
const require = createRequire(import.meta.url);

export interface EnterCall {
  /** Returns the kernel's result: the number of entries that it took, or -errno. */
  readonly enter: (toSubmit: number, waitFor: number) => number;
  /** How the call is made, for `ublkts doctor`. */
  readonly how: 'node:ffi' | 'koffi' | 'koffi, libc';
  /**
   * Descriptor of the library's file, if there is one. It has to stay open as long as the library is loaded, which is until
   * `close` or the end of the thread: the loader would take the same path, with the number of another file, for the same library.
   */
  readonly file: number | null;
  readonly close: () => void;
}

/** The arguments that are the same in every call. */
export interface EnterTarget {
  readonly fd: number;
  /** IORING_ENTER_* */
  readonly flags: number;
  /** Two ints that nothing else uses. `address` is where they are. */
  readonly words: Int32Array;
  readonly address: bigint;
}

/** Makes the call for the calling thread. */
export function loadEnter(target: EnterTarget): EnterCall {
  return (knowsProcessor(process.arch) ? compiled(target) : undefined) ?? throughLibc(target);
}

/** Returns undefined where a file in memory may not be made or executed (sysctl vm.memfd_noexec, a security module). */
function compiled({ fd, flags, words, address }: EnterTarget): EnterCall | undefined {
  const { value: library, errno } = callInt('memfd_create', 'ublkts-enter', MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (library < 0 && REFUSED.includes(errno)) return undefined;
  if (library < 0) throw systemError('memfd_create', errno, 'ublkts-enter');
  try {
    writeSync(library, sharedObject(process.arch, 'enter', enterCode(fd, flags, address)));
    // The file is the code that this thread runs, and root could write to it in /proc.
    addSeals(library, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, 'a memfd');
    const { call, how, close } = bind(`/proc/self/fd/${library}`);
    return {
      enter: (toSubmit, waitFor) => {
        words[0] = toSubmit;
        words[1] = waitFor;
        return call();
      },
      how,
      file: library,
      close: () => {
        close();
        closeDescriptor(library);
      },
    };
  } catch {
    closeDescriptor(library);
    return undefined;
  }
}

interface NodeFfi {
  DynamicLibrary: new (
    path: string,
  ) => {
    getFunction(name: string, signature: { return: string; arguments: string[] }): () => number;
    close(): void;
  };
}

/**
 * Loads the library. Node 26.4 and newer call it as compiled code calls C; through koffi a call takes some 500
 * instructions.
 */
function bind(path: string): { call: () => number; how: EnterCall['how']; close: () => void } {
  const ffi = nodeFfi();
  if (ffi !== undefined) {
    const library = new ffi.DynamicLibrary(path);
    const close = (): void => library.close();
    return { call: orClose(close, () => library.getFunction('enter', SIGNATURE)), how: 'node:ffi', close };
  }
  const library = koffi().load(path);
  const close = (): void => library.unload();
  return { call: orClose(close, () => library.func('int enter()') as () => number), how: 'koffi', close };
}

const SIGNATURE = { return: 'i32', arguments: [] };

/** A library that stays loaded, with its file closed, would be taken for the next one whose file gets the same number. */
function orClose<T>(close: () => void, find: () => T): T {
  try {
    return find();
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Loads node:ffi without its warning that it is experimental, which is for authors of programs (docs/decisions/0010).
 */
function nodeFfi(): NodeFfi | undefined {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:ffi') as NodeFfi | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * The call through libc. All arguments are declared as `int`, because koffi converts an int in half the instructions of
 * an unsigned or 64-bit type and passes it as a whole register. The sigset is null, so its size is not passed.
 */
function throughLibc({ fd, flags }: EnterTarget): EnterCall {
  const { load, errno } = koffi();
  const call = load('libc.so.6').func(
    'int syscall(int number, int fd, int to_submit, int min_complete, int flags, int sig)',
  ) as (...args: number[]) => number;
  return {
    enter: (toSubmit, waitFor) => {
      const taken = call(SYS_io_uring_enter, fd, toSubmit, waitFor, flags, 0);
      return taken >= 0 ? taken : -errno();
    },
    how: 'koffi, libc',
    file: null,
    close: () => {},
  };
}

/** Loads koffi, a native addon of several megabytes, only when it is needed. */
function koffi(): typeof Koffi {
  return require('koffi') as typeof Koffi;
}
