/** `doctor`: checks everything that a working device needs, causes before their effects. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { findDevices } from '../control/discovery.ts';
import { UblkError } from '../errors.ts';
import { ioUringPolicy } from '../native/ring/setup-failure.ts';
import { type Check, fail } from './doctor/check.ts';
import { goingIds } from '../record/going-device.ts';
import { checkDriver, checkFeatures, checkIoUring, checkKernel } from './doctor/kernel.ts';
import { checkDevices } from './doctor/leftovers.ts';
import { checkFiles } from './doctor/stale-files.ts';
import { checkOpenFiles } from './doctor/limits.ts';
import { checkHugepages, checkMemlock } from './doctor/memory.ts';
import { checkLibraries, checkNode } from './doctor/runtime.ts';
import { checkRunDirectory, runFileSystem } from './doctor/run-directory.ts';
import { checkSwap, findSwapDevices } from './doctor/swap.ts';
import { listDevices } from './report/list.ts';

/**
 * Makes all checks, whichever of them fail; a check that cannot be made says why. `fix` removes the files of devices
 * that are gone.
 */
export async function diagnose({ fix = false }: { readonly fix?: boolean } = {}): Promise<Check[]> {
  const libraries = await checkLibraries();
  // Without ffi-rs, every check that calls libc would fail for that one reason.
  const callsLibc = !libraries.some(({ name, status }) => name === 'ffi-rs' && status === 'fail');
  const throughLibc = (name: string, make: () => Check | Promise<Check>): Promise<Check> =>
    callsLibc
      ? attempt(name, make)
      : Promise.resolve(fail(name, 'not checked, because ffi-rs does not work', FFI_HINT));
  const driver = checkDriver();
  const throughDriver = (name: string, make: () => Check | Promise<Check>): Promise<Check> =>
    driver.status === 'fail'
      ? Promise.resolve(fail(name, `not checked: ${driver.detail}`, driver.hint ?? ''))
      : throughLibc(name, make);
  return [
    checkNode(process.versions.node),
    ...libraries,
    checkKernel(release()),
    await throughLibc('io_uring', () => checkIoUring(ioUringPolicy())),
    driver,
    await throughDriver('features', checkFeatures),
    await throughDriver('devices', async () => checkDevices(await listDevices())),
    checkRunDirectory(runFileSystem()),
    // A device that is being deleted is not in sysfs.
    await attempt('files', () => checkFiles(() => [...findDevices(), ...goingIds()], fix)),
    await attempt('swap', () => checkSwap(findSwapDevices())),
    checkHugepages(read('/proc/meminfo') ?? '', read('/proc/mounts') ?? ''),
    checkMemlock(read('/proc/self/limits') ?? '', process.geteuid?.() === 0),
    checkOpenFiles(read('/proc/self/limits') ?? ''),
  ];
}

const FFI_HINT = '`npm install` without --omit=optional';

async function attempt(name: string, make: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof UblkError) return fail(name, error.message, error.hint ?? 'see `dmesg`');
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
