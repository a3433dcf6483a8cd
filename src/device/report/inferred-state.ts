/** The state of a device that the driver cannot be asked about. */
import type { DeviceRecord } from '../../record/device-record.ts';
import { featuresOf } from '../../spec/device-spec.ts';
import type { DeviceState } from './report.ts';

/** The block device is there from START_DEV to STOP_DEV, and longer for a device that can be recovered. */
export function inferredState(record: DeviceRecord | null, hasDisk: boolean, isServed: boolean): DeviceState {
  if (!hasDisk) return 'DEAD';
  // Without a record it cannot be known whether the device has a server; most devices with a disk have one.
  if (record === null || isServed) return 'LIVE';
  const features = featuresOf(record.spec);
  if (features.has('USER_RECOVERY_FAIL_IO')) return 'FAIL_IO';
  return features.has('USER_RECOVERY') ? 'QUIESCED' : 'DEAD';
}
