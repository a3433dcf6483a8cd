import { usageError } from '../../errors.ts';
import { type DeviceSpec, featuresOf } from '../device-spec.ts';
import { option } from '../option-names.ts';

const RECOVERY = option('features.USER_RECOVERY');
const REISSUE = option('features.USER_RECOVERY_REISSUE');
const FAIL_IO = option('features.USER_RECOVERY_FAIL_IO');

export function checkRecovery(spec: DeviceSpec): void {
  const features = featuresOf(spec);
  const reissues = features.has('USER_RECOVERY_REISSUE');
  const failsIo = features.has('USER_RECOVERY_FAIL_IO');
  if (reissues && failsIo) {
    throw usageError(
      [REISSUE, ' and ', FAIL_IO, ' contradict each other'],
      ['while the server is away, requests are either kept (', REISSUE, ') or failed (', FAIL_IO, ')'],
    );
  }
  if (features.has('USER_RECOVERY')) return;
  const names = [reissues && REISSUE, failsIo && FAIL_IO, features.has('QUIESCE') && 'UBLK_F_QUIESCE'];
  const [needy] = names.filter((name) => name !== false);
  if (needy === undefined) return;
  throw usageError([needy, ' requires a device that can be recovered'], ['add ', RECOVERY]);
}
