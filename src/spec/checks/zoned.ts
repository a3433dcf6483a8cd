import { usageError } from '../../errors.ts';
import { type DeviceSpec, featuresOf } from '../device-spec.ts';
import { option } from '../option-names.ts';

const ZONED = option('features.ZONED');

/** No target of ublkts has zones, so this is said before kublk's rule that zones need another data path. */
export function checkZoned(spec: DeviceSpec): void {
  if (!featuresOf(spec).has('ZONED')) return;
  throw usageError(
    [`target ${spec.target} cannot serve a zoned device (`, ZONED, '): no target of ublkts has zones'],
    ['leave ', ZONED, ' out'],
  );
}
