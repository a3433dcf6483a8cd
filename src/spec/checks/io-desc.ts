import { usageError } from '../../errors.ts';
import { ublksrv_io_desc } from '../../native/uapi/ublk-structs.ts';
import { type DeviceSpec, featuresOf } from '../device-spec.ts';
import { option } from '../option-names.ts';
import { checkRange } from './range.ts';

/** UBLK_MAX_IO_DESC_SIZE of the driver, in bytes. */
const MAX_BYTES = 256;

export function checkIoDesc(spec: DeviceSpec): void {
  if (!featuresOf(spec).has('IO_DESC_SIZE')) return;
  checkRange('ioDescSize', spec.ioDescSize, ublksrv_io_desc.size, MAX_BYTES);
  if (spec.ioDescSize % 8 !== 0) {
    throw usageError(
      [option('ioDescSize'), ` ${spec.ioDescSize} is not a multiple of 8`],
      'descriptors hold 64-bit words',
    );
  }
}
