/** Checks of what ublkts runs on: Node, and the libraries that call libc. */
import type { EnterCall } from '../../native/libc/enter.ts';
import { ERRNO } from '../../native/uapi/errno.ts';
import { type Check, fail, ok, warn } from './check.ts';

const OLDEST_NODE = 22;
/** Its worker threads take far less memory than those of older versions. */
const BEST_NODE = 26;
/**
 * The answers to a call for a ring that does not exist: the kernel's own, and those of a seccomp filter, which the
 * check `io_uring` reports.
 */
const ARRIVED: readonly number[] = [-ERRNO.EBADF, -ERRNO.ENOSYS, -ERRNO.EPERM, -ERRNO.EACCES];
const HINT = 'the native parts are optional packages: `npm install` without --omit=optional';

export function checkNode(version: string): Check {
  const major = Number.parseInt(version, 10);
  if (major < OLDEST_NODE) return fail('node', version, `ublkts needs Node ${OLDEST_NODE} or newer`);
  if (major < BEST_NODE) return warn('node', version, `Node ${BEST_NODE} needs a third of the memory per queue thread`);
  return ok('node', version);
}

export async function checkLibraries(): Promise<Check[]> {
  return [await check('ffi-rs', callFfi), await check('io_uring_enter', callEnter)];
}

async function check(name: string, call: () => Promise<string | undefined>): Promise<Check> {
  try {
    const how = await call();
    return how === undefined ? fail(name, 'loads, but its calls return wrong results', HINT) : ok(name, how);
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return fail(name, line, HINT);
  }
}

async function callFfi(): Promise<string | undefined> {
  const { callInt } = await import('../../native/libc/ffi.ts');
  return callInt('getpid').value === process.pid ? 'calls into the C library work' : undefined;
}

const HOW: Readonly<Record<EnterCall['how'], string>> = {
  'node:ffi': 'called by Node directly',
  koffi: 'called through the package koffi, which is slower; Node 26.4 and newer call it directly',
  'koffi, libc': 'called through the package koffi and libc, which is slower; this processor or machine needs it',
};

/** Makes the call for a ring that does not exist. The answer shows that the call reached the kernel. */
async function callEnter(): Promise<string | undefined> {
  const { loadEnter } = await import('../../native/libc/enter.ts');
  const { mapAnonymous, PAGE_SIZE } = await import('../../native/memory.ts');
  const memory = mapAnonymous(PAGE_SIZE, 'of a check');
  const call = loadEnter({ fd: -1, flags: 0, words: memory.words(0, 2), address: memory.address });
  const arrived = ARRIVED.includes(call.enter(0, 0));
  call.close();
  memory.unmap();
  return arrived ? `starting I/O works (${HOW[call.how]})` : undefined;
}
