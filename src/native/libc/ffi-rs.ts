/**
 * Loads the package ffi-rs. It picks its binary for glibc or musl, and asks for a whole diagnostic report of the process
 * to tell them apart, which takes 3 ms per process and again per thread. The answer is read here from the program
 * that runs, and the package gets it from a report that has nothing else in it.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as FfiRs from 'ffi-rs';

/** Where an executable names its loader: behind its program headers. */
const HEAD_BYTES = 2048;

export function loadFfiRs(): typeof FfiRs {
  const require = createRequire(import.meta.url);
  const { report } = process;
  const getReport = report.getReport.bind(report);
  const glibcVersionRuntime = isMusl() ? undefined : 'not asked';
  try {
    report.getReport = () => ({ header: { glibcVersionRuntime } });
    return require('ffi-rs') as typeof FfiRs;
  } finally {
    report.getReport = getReport;
  }
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
