/** Hints about failures, for errors whose reporter gave none. */
import { renderText, type UblkError } from '../../errors.ts';
import { flagName } from '../flags/flag-names.ts';

/** A hint, or a function that gives one only where its command can help. */
type Hint = string | ((error: UblkError) => string | undefined);

const BY_CODE: Readonly<Record<string, Hint>> = {
  EPERM: permissionHint,
  EACCES: permissionHint,
  EBUSY: openerHint,
  EMFILE: 'raise the limit of open files: ulimit -n 1024, or LimitNOFILE= in a systemd unit',
  ENFILE: 'the whole machine has too many files open (sysctl fs.file-max)',
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
  const hint = own ?? BY_CODE[error.code] ?? BY_KIND[error.kind];
  return typeof hint === 'function' ? hint(error) : hint;
}

/** Root in a container may lack the capability, and cannot be told to become root. */
function permissionHint(): string {
  return process.geteuid?.() === 0
    ? 'root lacks CAP_SYS_ADMIN here, as in a container: run it outside, or give it the capability'
    : 'run it as root (CAP_SYS_ADMIN)';
}

/** A command can name the openers of a block device, and of no other file. */
function openerHint({ device, command }: UblkError): string | undefined {
  const isAboutOpeners = command === 'STOP_DEV' || command === 'DEL_DEV';
  return device === undefined || !isAboutOpeners ? undefined : `fuser -v /dev/ublkb${device} shows who has it open`;
}
