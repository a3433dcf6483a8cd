/** What a person can do next, for the failures that look the same wherever they come from. */
import { renderText, type UblkError } from '../../errors.ts';
import { flagName } from '../flags/flag-names.ts';

const BY_CODE: Readonly<Record<string, string>> = {
  EPERM: 'run it as root (CAP_SYS_ADMIN)',
  EACCES: 'run it as root (CAP_SYS_ADMIN)',
  EBUSY: 'something still has the device open: lsblk and fuser -v /dev/ublkbN say what',
  ENOMEM: 'memory or locked memory is short: ublkts doctor shows the limits',
  ENOSYS: 'this kernel has no io_uring, or a seccomp filter hides it: ublkts doctor',
  EOPNOTSUPP: 'this kernel does not have the feature: ublkts features, ublkts doctor',
  INTERNAL: 'this is a defect of ublkts: run it again with --debug and report what it prints',
};

const BY_KIND: Partial<Readonly<Record<UblkError['kind'], string>>> = {
  'no-device': 'ublkts list shows the devices there are',
  unsupported: 'ublkts doctor says what this machine lacks',
};

export function hintFor(error: UblkError): string | undefined {
  const own = error.hintText === undefined ? undefined : renderText(error.hintText, flagName);
  return own ?? BY_CODE[error.code] ?? BY_KIND[error.kind];
}
