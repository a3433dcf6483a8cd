/**
 * Typed functions for the system calls that Node's `fs` does not have. Each throws a UblkError that names the call and
 * the errno.
 */
import { writeSync } from 'node:fs';
import { UblkError } from '../../errors.ts';
import { ERRNO, errnoName, errnoText } from '../uapi/errno.ts';
import { type Argument, type CallResult, callInt, callLong, type FunctionName } from './ffi.ts';
import { O_CLOEXEC } from '../uapi/fcntl.ts';
import { SEEK_HOLE } from '../uapi/fs.ts';
import { PR_SET_IO_FLUSHER, SCHED_BATCH, SCHED_OTHER } from '../uapi/process.ts';
import { CPU_MASK_BYTES } from '../cpu-mask.ts';

/**
 * The error of a failed call. `what` stands between the call and the reason: `mmap of a buffer: Cannot allocate
 * memory`.
 */
export function systemError(command: string, errno: number, what: string, hint?: string): UblkError {
  const message = `${command}${what === '' ? '' : ` ${what}`}: ${errnoText(errno)}`;
  return new UblkError(message, { code: errnoName(errno), command, ...(hint === undefined ? {} : { hint }) });
}

/** The same error for what node:fs has thrown; anything else is returned as it is. `what` names the file. */
export function fileError(thrown: unknown, what: string): unknown {
  const { errno, syscall } = thrown as NodeJS.ErrnoException;
  return errno === undefined || syscall === undefined ? thrown : systemError(syscall, -errno, what);
}

/** Calls libc's function `name` and throws a UblkError when it returns -1. */
export function checked(name: FunctionName, what: string, ...values: Argument[]): number {
  return check(name, what, callInt(name, ...values));
}

export function check(name: string, what: string, result: CallResult<number>): number {
  if (result.value < 0) throw systemError(name, result.errno, what);
  return result.value;
}

export function ioctl(fd: number, request: number, argument: Uint8Array | bigint, what: string): number {
  return checked('ioctl', what, fd, BigInt(request), argument);
}

/**
 * Gives a part of a file its room on the file system (fallocate(2)), so that a store to a mapping of it never fails. `what`
 * names the file in the error. A file system that does not know the call, as ramfs, has no bound that could be reached.
 */
export function allocate(fd: number, offset: number, bytes: number, what: string): void {
  for (;;) {
    const result = callInt('fallocate', fd, 0, BigInt(offset), BigInt(bytes));
    if (result.value === 0 || result.errno === ERRNO.EOPNOTSUPP) return;
    // A signal came meanwhile.
    if (result.errno !== ERRNO.EINTR) throw systemError('fallocate', result.errno, what);
  }
}

/** Where the first hole of a file is, or its end (lseek(2), SEEK_HOLE); the end of one on a file system that knows no holes. */
export function firstHole(fd: number): number {
  const { value, errno } = callLong('lseek', fd, 0n, SEEK_HOLE);
  if (BigInt.asIntN(64, value) < 0n) throw systemError('lseek', errno, 'to the first hole');
  return Number(value);
}

/**
 * Sets or clears PR_SET_IO_FLUSHER (prctl(2)) for the calling thread and for the threads and processes that it starts
 * later. Allocations of such a thread never wait for writeback, which could itself be waiting for this thread. Returns
 * 0 or the errno, which is EPERM without CAP_SYS_RESOURCE.
 */
export function setIoFlusher(on: boolean): number {
  const result = callInt('prctl', PR_SET_IO_FLUSHER, on ? 1n : 0n, 0n, 0n, 0n);
  return result.value < 0 ? result.errno : 0;
}

/** Gives the calling thread a name of at most 15 bytes, as `ps -L` and `top -H` show it. */
export function setThreadName(name: string): void {
  const PR_SET_NAME = 15;
  callInt('prctl', PR_SET_NAME, name.slice(0, 15), 0n, 0n, 0n);
}

export function gettid(): number {
  return callInt('gettid').value;
}

/** The CPUs that a thread may run on, from sched_getaffinity(2); thread 0 is the calling one. */
export function getAffinity(tid = 0): number[] {
  const mask = new Uint8Array(CPU_MASK_BYTES);
  const result = callInt('sched_getaffinity', tid, BigInt(mask.length), mask);
  return result.value < 0 ? [] : cpusOfMask(mask);
}

/** Binds a thread to `cpus`; thread 0 is the calling one. Returns 0 or the errno. */
export function setAffinity(cpus: readonly number[], tid = 0): number {
  const mask = new Uint8Array(CPU_MASK_BYTES);
  for (const cpu of cpus) {
    const byte = cpu >> 3;
    if (byte < mask.length) mask[byte] = mask[byte]! | (1 << (cpu & 7));
  }
  const result = callInt('sched_setaffinity', tid, BigInt(mask.length), mask);
  return result.value < 0 ? result.errno : 0;
}

/**
 * Gives the calling thread the policy SCHED_BATCH (sched(7)): when it wakes up, it does not take the CPU from a running
 * thread. A policy other than the default was chosen by the user and stays. Returns 0 or the errno.
 */
export function setBatchPolicy(): number {
  if (callInt('sched_getscheduler', 0).value !== SCHED_OTHER) return 0;
  // struct sched_param has one int, the priority, which is 0 for this policy.
  const result = callInt('sched_setscheduler', 0, SCHED_BATCH, new Uint8Array(4));
  return result.value < 0 ? result.errno : 0;
}

/** Lets another thread that waits for this CPU have it first (sched_yield(2)). */
export function sched_yield(): void {
  callInt('sched_yield');
}

/** The CPU numbers in a little-endian mask that begins at a multiple of 4 bytes and has a multiple of 4 bytes. */
export function cpusOfMask(mask: Uint8Array): number[] {
  const cpus: number[] = [];
  // Nearly all of the words are 0.
  new Uint32Array(mask.buffer, mask.byteOffset, mask.length / 4).forEach((bits, word) => {
    for (let bit = 0; bit < 32 && bits >>> bit !== 0; bit++) if ((bits >>> bit) & 1) cpus.push(word * 32 + bit);
  });
  return cpus;
}

const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Maps memory and returns its address. `prot` and `flags` are PROT_* and MAP_* (memory.ts). */
export function mmap(
  length: bigint,
  prot: number,
  flags: number,
  fd: number,
  offset: bigint,
  what: string,
  address = 0n,
): bigint {
  const result = callLong('mmap', address, length, prot, flags, fd, offset);
  if (result.value === MAP_FAILED) throw systemError('mmap', result.errno, what);
  return result.value;
}

export function munmap(address: bigint, length: bigint): void {
  callInt('munmap', address, length);
}

/**
 * Closes a descriptor that a call of this module has opened. A worker thread of Node warns of descriptors that `fs` closes
 * and has not opened.
 */
export function closeDescriptor(fd: number): void {
  callInt('close', fd);
}

/** The number of the system call, which is the same on all processors (include/uapi/asm-generic/unistd.h). */
const SYS_close_range = 436n;

/**
 * Keeps the descriptors of this process, but for the first three, from the programs that it starts, unless they are given to them
 * (close_range(2), Linux 5.11). Node does so for its own, and for inherited ones with low numbers. A shell script may have a lock on
 * number 200, for example, which a server would hold for as long as it lives.
 */
export function keepDescriptors(): void {
  const CLOSE_RANGE_CLOEXEC = 4n;
  callInt('syscall', SYS_close_range, 3n, 0xffff_ffffn, CLOSE_RANGE_CLOEXEC);
}

/** Makes a counter that a ring can wait for (eventfd(2)). The caller closes the descriptor. */
export function eventfd(): number {
  const EFD_CLOEXEC = 0o2000000;
  return checked('eventfd', '', 0, EFD_CLOEXEC);
}

/** Wakes whoever waits for the counter. */
export function signalEventfd(fd: number): void {
  writeSync(fd, new Uint8Array(new BigUint64Array([1n]).buffer));
}

/** Makes a pipe. The caller closes both ends; programs that it starts do not inherit them. */
export function pipe(): [readEnd: number, writeEnd: number] {
  const ends = new Int32Array(2);
  checked('pipe2', '', new Uint8Array(ends.buffer), O_CLOEXEC);
  return [ends[0]!, ends[1]!];
}

const SYS_io_uring_setup = 425n;
const SYS_io_uring_enter = 426n;
const SYS_io_uring_register = 427n;

/** Returns the result of the system call itself: a descriptor, or -errno. */
export function io_uring_setup(entries: number, params: Uint8Array): number {
  return negative(callInt('syscall', SYS_io_uring_setup, entries, params));
}

/**
 * The slow form of io_uring_enter, for commands. Queue threads use enter.ts. `argument` is an io_uring_getevents_arg.
 */
export function io_uring_enter(
  fd: number,
  toSubmit: number,
  waitFor: number,
  flags: number,
  argument: Uint8Array,
): number {
  return negative(
    callInt('syscall', SYS_io_uring_enter, fd, toSubmit, waitFor, flags, argument, BigInt(argument.length)),
  );
}

export function io_uring_register(fd: number, opcode: number, argument: Uint8Array | bigint, count: number): number {
  return negative(callInt('syscall', SYS_io_uring_register, fd, opcode, argument, count));
}

function negative(result: CallResult<number>): number {
  return result.value < 0 ? -result.errno : result.value;
}

/** The number of x86-64, and that of include/uapi/asm-generic/unistd.h, which arm64 and riscv share. */
const SYS_umount2 = process.arch === 'x64' ? 166n : 39n;

/**
 * umount2(2) with MNT_* and UMOUNT_*. Returns 0 or the errno. It is called by number because a function is called once
 * when it is looked up (ffi.ts), and a sandbox may end a process that calls this one.
 */
export function umount(path: string, flags: number): number {
  const { value, errno } = callInt('syscall', SYS_umount2, path, flags);
  return value < 0 ? errno : 0;
}

/** The number of x86-64, and that of include/uapi/asm-generic/unistd.h. */
const SYS_exit_group = process.arch === 'x64' ? 231n : 94n;

/**
 * Ends the process at once (exit_group(2)): nothing runs any more, and no thread is waited for. A thread that waits in the
 * kernel where no signal ends the wait keeps the process until the wait is over.
 */
export function exitNow(code: number): never {
  callInt('syscall', SYS_exit_group, code);
  throw new Error('exit_group has returned');
}
