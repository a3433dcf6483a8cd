/** `addDevice` of the library: a new device and its whole report. */
import type { WaitOptions } from '../../control/waiting.ts';
import { given, type OrUndefined } from '../../spec/given.ts';
import type { AddRequest } from '../../spec/options.ts';
import { addAndRead } from './add.ts';
import { describe } from '../report/list.ts';
import type { StartedDevice } from '../report/report.ts';

/**
 * Makes a device and starts its server. Resolves when the device is live. `waiting.signal` gives up. Throws a UblkError, and
 * leaves no device: of kind `usage` for options that are wrong or do not go together, `unsupported` for what this kernel or
 * machine cannot do, `permission` without the rights, and `busy` for an id or a backing file that is in use.
 */
export async function addDevice(request: OrUndefined<AddRequest>, waiting: WaitOptions = {}): Promise<StartedDevice> {
  const { report, notes } = await addAndRead(given<AddRequest>(request), describe, waiting);
  return { ...report, notes: [...notes] };
}
