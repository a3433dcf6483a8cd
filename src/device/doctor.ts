/** `doctor`: everything that can stand between a user and a working device, looked at in the order of its causes. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { findDevices } from '../control/discovery.ts';
import type { Check } from './doctor/check.ts';
import { checkDriver, checkFeatures, checkIoUring, checkKernel } from './doctor/kernel.ts';
import { checkDevices, checkFiles } from './doctor/leftovers.ts';
import { checkHugepages, checkMemlock } from './doctor/memory.ts';
import { checkLibraries, checkNode } from './doctor/runtime.ts';
import { listDevices } from './list.ts';

/** `fix`: remove the files of devices that are gone. */
export async function diagnose({ fix = false }: { readonly fix?: boolean } = {}): Promise<Check[]> {
  const checks = [checkNode(process.versions.node), ...(await checkLibraries()), checkKernel(release())];
  // The other checks call libc; without the libraries each of them would fail for that one reason.
  if (checks.some(({ name, status }) => name === 'ffi-rs' && status === 'fail')) return checks;
  checks.push(checkIoUring(read('/proc/sys/kernel/io_uring_disabled')?.trim()));
  const driver = checkDriver();
  checks.push(driver);
  const devices = driver.status === 'fail' ? [] : await listDevices();
  if (driver.status !== 'fail') checks.push(await checkFeatures(), checkDevices(devices));
  return [
    ...checks,
    // A device that is being deleted is in the list and not in sysfs.
    checkFiles([...findDevices(), ...devices.map(({ id }) => id)], fix),
    checkHugepages(read('/proc/meminfo') ?? '', read('/proc/mounts') ?? ''),
    checkMemlock(read('/proc/self/limits') ?? '', process.geteuid?.() === 0),
  ];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
