import { usageError } from '../../errors.ts';
import { type DeviceSpec, featuresOf } from '../device-spec.ts';
import { option } from '../option-names.ts';

const ZONED = option('features.ZONED');

/** kublk's rule first, then what is true of every target that there is. */
export function checkZoned(spec: DeviceSpec): void {
  const features = featuresOf(spec);
  if (!features.has('ZONED')) return;
  if (!features.has('USER_COPY') && !features.has('SUPPORT_ZERO_COPY')) {
    const [userCopy, zeroCopy] = [option('features.USER_COPY'), option('features.SUPPORT_ZERO_COPY')];
    throw usageError([ZONED, ' requires ', userCopy, ' or ', zeroCopy], ['add ', userCopy, ' or ', zeroCopy]);
  }
  throw usageError(
    [`target ${spec.target} cannot serve a zoned device (`, ZONED, '): no target of ublkts has zones'],
    ['leave ', ZONED, ' out'],
  );
}
