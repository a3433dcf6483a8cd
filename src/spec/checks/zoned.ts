import { usageError } from '../../errors.ts';
import { type DeviceSpec, featuresOf } from '../device-spec.ts';
import { option } from '../option-names.ts';

const ZONED = option('features.ZONED');

/** It is true of every target that there is, so kublk's rule that zones need another data path is not named first. */
export function checkZoned(spec: DeviceSpec): void {
  if (!featuresOf(spec).has('ZONED')) return;
  throw usageError(
    [`target ${spec.target} cannot serve a zoned device (`, ZONED, '): no target of ublkts has zones'],
    ['leave ', ZONED, ' out'],
  );
}
