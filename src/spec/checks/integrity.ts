import { usageError } from '../../errors.ts';
import { type DeviceSpec, featuresOf } from '../device-spec.ts';
import { option } from '../option-names.ts';
import type { IntegrityOptions } from '../options.ts';
import { checkRange } from './range.ts';

/** Bytes of one protection tuple, by checksum. */
const TUPLE_BYTES: Readonly<Record<IntegrityOptions['csumType'], number>> = { none: 0, ip: 8, t10dif: 8, nvme: 16 };
const SIZE = option('integrity.metadataSize');

export function checkIntegrity(spec: DeviceSpec): void {
  const features = featuresOf(spec);
  const { integrity } = spec;
  if (integrity === null && !features.has('INTEGRITY')) return;
  if (integrity === null || integrity.metadataSize === 0) {
    throw usageError(['integrity options require ', SIZE], ['add ', SIZE, ' with the bytes per block, for example 8']);
  }
  const { metadataSize, piOffset, tagSize, csumType, reftag } = integrity;
  checkRange('integrity.metadataSize', metadataSize, 1, 255);
  checkRange('integrity.piOffset', piOffset, 0, 255);
  checkRange('integrity.tagSize', tagSize, 0, 255);
  if (!features.has('USER_COPY')) {
    const userCopy = option('features.USER_COPY');
    throw usageError(['integrity data requires ', userCopy], ['add ', userCopy]);
  }
  if (reftag && csumType === 'none') {
    throw usageError(
      [option('integrity.reftag'), ' requires a checksum'],
      ['set ', option('integrity.csumType'), ' to ip, t10dif or nvme'],
    );
  }
  const end = piOffset + TUPLE_BYTES[csumType];
  if (end > metadataSize) {
    throw usageError(`a ${csumType} tuple at offset ${piOffset} ends at byte ${end} of ${metadataSize}`, [
      'make ',
      SIZE,
      ` ${end}, or `,
      option('integrity.piOffset'),
      ' smaller',
    ]);
  }
}
