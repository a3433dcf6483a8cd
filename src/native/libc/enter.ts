/**
 * `io_uring_enter` for a queue thread: the one system call of the data path (docs/decisions/0001 and 0010).
 *
 * Where it can be, it is a function of no arguments in a library that is made here: an argument costs more to convert
 * than this function to run, and Node calls a function of none straight from compiled code. Elsewhere it is libc's
 * `syscall` through koffi.
 */
import { closeSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import { checked } from './calls.ts';
import { enterCode } from './enter-code.ts';
import { knowsProcessor, sharedObject } from './shared-object.ts';

const SYS_io_uring_enter = 426;
const MFD_CLOEXEC = 1;
const require = createRequire(import.meta.url);

export interface EnterCall {
  /** The kernel's result: entries taken, or -errno. */
  readonly enter: (toSubmit: number, waitFor: number) => number;
  /** How it is made, for `ublkts doctor`. */
  readonly how: 'node:ffi' | 'koffi' | 'koffi, libc';
  readonly close: () => void;
}

/** The arguments that never change. */
export interface EnterTarget {
  readonly fd: number;
  /** IORING_ENTER_* */
  readonly flags: number;
  /** Two ints that nobody else uses, and where they are. */
  readonly words: Int32Array;
  readonly address: bigint;
}

/** Binds the call for this thread. */
export function loadEnter(target: EnterTarget): EnterCall {
  return (knowsProcessor(process.arch) ? compiled(target) : undefined) ?? throughLibc(target);
}

/** Undefined where a file in memory may not be executed (sysctl vm.memfd_noexec, a security module). */
function compiled({ fd, flags, words, address }: EnterTarget): EnterCall | undefined {
  const library = checked('memfd_create', 'ublkts-enter', 'ublkts-enter', MFD_CLOEXEC);
  try {
    writeSync(library, sharedObject(process.arch, 'enter', enterCode(fd, flags, address)));
    const { call, how, close } = bind(`/proc/self/fd/${library}`);
    return {
      enter: (toSubmit, waitFor) => {
        words[0] = toSubmit;
        words[1] = waitFor;
        return call();
      },
      how,
      // The descriptor is kept as long as the library: the loader takes a path that it has seen for the same file.
      close: () => {
        close();
        closeSync(library);
      },
    };
  } catch {
    closeSync(library);
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

/** Node 26.4 and newer call it as compiled code calls C; through koffi the same takes some 500 instructions. */
function bind(path: string): { call: () => number; how: EnterCall['how']; close: () => void } {
  const ffi = nodeFfi();
  if (ffi !== undefined) {
    const library = new ffi.DynamicLibrary(path);
    const call = library.getFunction('enter', { return: 'i32', arguments: [] });
    return { call, how: 'node:ffi', close: () => library.close() };
  }
  const library = koffi().load(path);
  return { call: library.func('int enter()') as () => number, how: 'koffi', close: () => library.unload() };
}

/** Hides the warning that it is experimental, which is meant for the authors of a program (docs/decisions/0010). */
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
 * All arguments are declared `int`, which koffi converts in half the instructions of an unsigned or a 64-bit type and
 * passes as whole registers. The sigset is always null, so its size is never looked at and not passed.
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
    close: () => {},
  };
}

/** Loaded when it is needed: a native addon of megabytes. */
function koffi(): typeof Koffi {
  return require('koffi') as typeof Koffi;
}
