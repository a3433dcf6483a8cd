/**
 * Loads the package ffi-rs. It picks its binary for glibc or musl, and asks for a whole diagnostic report of the process
 * to tell them apart, which takes 3 ms per process and again per thread. The answer is read here from the program
 * that runs, and the package gets it from a report that has nothing else in it.
 *
 * The binary stays loaded for as long as the process lives. Node unloads it when the last thread that has loaded it ends; then
 * the thread runs what the binary has left for its end, in memory that is gone, and the whole process crashes.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type * as FfiRs from 'ffi-rs';
import { UblkError } from '../../errors.ts';

/** Where an executable names its loader: behind its program headers. */
const HEAD_BYTES = 2048;

/** A flag of dlopen (Linux's dlfcn.h): the library is never unloaded. Node has no constant for it. */
const RTLD_NODELETE = 0x1000;

export function loadFfiRs(): typeof FfiRs {
  const require = createRequire(import.meta.url);
  const { report } = process;
  const getReport = report.getReport.bind(report);
  const glibcVersionRuntime = isMusl() ? undefined : 'not asked';
  const dlopen = process.dlopen.bind(process);
  try {
    report.getReport = () => ({ header: { glibcVersionRuntime } });
    process.dlopen = (module, file) => dlopen(module, file, constants.dlopen.RTLD_LAZY | RTLD_NODELETE);
    return require('ffi-rs') as typeof FfiRs;
  } catch (error) {
    throw unloadable(error);
  } finally {
    report.getReport = getReport;
    process.dlopen = dlopen;
  }
}

function unloadable(cause: unknown): UblkError {
  const [reason] = String(cause).split('\n');
  return new UblkError(`cannot load ffi-rs, which makes the system calls: ${reason}`, {
    code: 'ENOSYS',
    kind: 'unsupported',
    command: 'dlopen',
    hint: 'install ublkts with its optional dependencies; a bundler must leave ublkts out of the bundle (`external`)',
    cause,
  });
}

/** Whether the error says that no system call can be made at all. */
export function isUnloadable(error: unknown): boolean {
  return error instanceof UblkError && error.command === 'dlopen';
}

function isMusl(): boolean {
  const head = Buffer.alloc(HEAD_BYTES);
  const fd = openSync(process.execPath, 'r');
  try {
    readSync(fd, head, 0, HEAD_BYTES, 0);
  } finally {
    closeSync(fd);
  }
  return head.includes('/ld-musl-');
}
