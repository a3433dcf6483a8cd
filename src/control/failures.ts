/** Turns refusals of the driver into errors that name the command, the device, the errno and the next step. */
import { UblkError, type FailureKind } from '../errors.ts';
import { throwShortage } from '../native/shortage.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';

/** Why the control device did not open. */
export function openFailure(path: string, cause: unknown): UblkError {
  throwShortage(cause);
  const code = (cause as NodeJS.ErrnoException).code ?? 'EIO';
  const details: { kind: FailureKind; hint: string } =
    code === 'EACCES' || code === 'EPERM'
      ? { kind: 'permission', hint: 'run as root, or give your user the device with a udev rule' }
      : { kind: 'unsupported', hint: '`modprobe ublk_drv`; it is in Linux 6.0 and newer (CONFIG_BLK_DEV_UBLK)' };
  const reason = code === 'ENOENT' || code === 'ENODEV' ? 'there is no ublk driver here' : code;
  return new UblkError(`cannot open ${path}: ${reason}`, { code, command: 'open', cause, ...details });
}

interface Meaning {
  readonly text?: string;
  readonly kind?: FailureKind;
  readonly hint?: string;
}

/** Meanings are looked up by `COMMAND errno`, then by errno alone. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  'ADD_DEV EEXIST': {
    text: 'the id is taken',
    kind: 'busy',
    hint: 'leave -n out to get a free id, or `ublkts del -n ID` first',
  },
  'ADD_DEV EINVAL': { hint: 'the driver refuses this combination of flags: see `ublkts features` and `dmesg`' },
  'ADD_DEV EACCES': { hint: 'the limit of unprivileged devices (module parameter ublks_max) may be reached' },
  'REG_BUF EEXIST': {
    text: 'some of these pages are registered already',
    kind: 'busy',
    hint: 'see the buffers in `ublkts list --json`',
  },
  'REG_BUF EOPNOTSUPP': {
    text: 'the device was made without --shmem_zc',
    kind: 'unsupported',
    hint: 'add it again with --shmem_zc',
  },
  'REG_BUF EFAULT': {
    hint: 'the file may be shorter than its size says, or be mapped read-only: try --rdonly_shmem_buf',
  },
  'REG_BUF ENOMEM': { hint: 'the limit of pinned memory (ulimit -l) or memory itself is used up' },
  'UNREG_BUF ENOENT': {
    text: 'no buffer has this index',
    kind: 'failed',
    hint: 'see the buffers in `ublkts list --json`',
  },
  'UNREG_BUF EOPNOTSUPP': { text: 'the device was made without --shmem_zc', kind: 'unsupported' },
  'START_USER_RECOVERY EBUSY': {
    text: 'it still has a server',
    hint: 'only a device whose server is gone can be recovered',
  },
  'START_USER_RECOVERY EINVAL': {
    text: 'it was made without recovery',
    hint: 'such a device cannot be recovered: delete it, and add it again with -r 1, -i 1 or -e 1',
  },
  'TRY_STOP_DEV EBUSY': {
    text: 'it is in use',
    hint: 'unmount it or close what holds it open, or stop without --safe',
  },
  'QUIESCE_DEV EBUSY': { text: 'requests did not finish in time', hint: 'try again when there is less I/O' },
  'QUIESCE_DEV EOPNOTSUPP': {
    text: 'it was made without recovery',
    kind: 'unsupported',
    hint: 'such a device cannot be recovered: delete it, and add it again with -r 1, -i 1 or -e 1',
  },
  'UPDATE_SIZE EOPNOTSUPP': {
    text: 'this kernel cannot resize',
    kind: 'unsupported',
    hint: 'UBLK_F_UPDATE_SIZE is in Linux 6.16 and newer',
  },
  ENODEV: { text: 'no such device', kind: 'no-device', hint: '`ublkts list` shows those there are' },
  EOPNOTSUPP: {
    text: 'the driver does not know it',
    kind: 'unsupported',
    hint: '`ublkts features` shows what this kernel has',
  },
};

/** `result` is the command's, negative. */
export function commandFailure(command: string, device: number, result: number): UblkError {
  const code = errnoName(-result);
  const meaning = MEANINGS[`${command} ${code}`] ?? MEANINGS[code] ?? {};
  const where = device >= 0 ? ` of device ${device}` : '';
  const text = meaning.text === undefined ? errnoText(-result) : meaning.text;
  return new UblkError(`${command}${where}: ${text} (${code})`, {
    code,
    command,
    ...(device >= 0 ? { device } : {}),
    ...(meaning.kind === undefined ? {} : { kind: meaning.kind }),
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
  });
}
