/** What ublkts itself stands on: Node and the two libraries that call into libc. */
import { type Check, fail, ok, warn } from './check.ts';

const OLDEST_NODE = 22;
/** Its worker threads take far less memory than those of the versions before. */
const BEST_NODE = 26;
const HINT = 'the native parts are optional packages: `npm install` without --omit=optional';

export function checkNode(version: string): Check {
  const major = Number.parseInt(version, 10);
  if (major < OLDEST_NODE) return fail('node', version, `ublkts needs Node ${OLDEST_NODE} or newer`);
  if (major < BEST_NODE) return warn('node', version, `Node ${BEST_NODE} needs a third of the memory a queue thread`);
  return ok('node', version);
}

export async function checkLibraries(): Promise<Check[]> {
  return [await check('ffi-rs', callFfi), await check('koffi', callKoffi)];
}

async function check(name: string, call: () => Promise<boolean>): Promise<Check> {
  try {
    return (await call()) ? ok(name, 'calls libc') : fail(name, 'loads, but libc answers nonsense', HINT);
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return fail(name, line, HINT);
  }
}

async function callFfi(): Promise<boolean> {
  const { callInt } = await import('../../native/libc/ffi.ts');
  return callInt('getpid').value === process.pid;
}

/** A ring that does not exist: -1 shows that the call arrived. */
async function callKoffi(): Promise<boolean> {
  const { loadEnter } = await import('../../native/libc/enter.ts');
  return loadEnter().enter(-1, 0, 0, 0) === -1;
}
