/** Turns refusals of the driver into errors that name the command, the device, the errno and what to do next. */
import { UblkError, type FailureKind } from '../errors.ts';
import { throwShortage } from '../native/shortage.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { LOAD_DRIVER } from './missing-driver.ts';

/** The error of a control device that could not be opened. */
export function openFailure(path: string, cause: unknown): UblkError {
  throwShortage(cause);
  const code = (cause as NodeJS.ErrnoException).code ?? 'EIO';
  const details: { kind: FailureKind; hint: string } =
    code === 'EACCES' || code === 'EPERM'
      ? { kind: 'permission', hint: 'run as root, or give your user the device with a udev rule' }
      : { kind: 'unsupported', hint: LOAD_DRIVER };
  const reason = code === 'ENOENT' || code === 'ENODEV' ? 'no ublk driver is loaded' : code;
  return new UblkError(`cannot open ${path}: ${reason}`, { code, command: 'open', cause, ...details });
}

interface Meaning {
  readonly text?: string;
  readonly kind?: FailureKind;
  readonly hint?: string;
}

/** What an errno means in the answer of a command. The key is `COMMAND errno` or, for all other commands, the errno. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  'ADD_DEV EEXIST': {
    text: 'the id is taken',
    kind: 'busy',
    hint: 'leave out -n to get a free id, or delete that device first: `ublkts del -n ID`',
  },
  'ADD_DEV EINVAL': {
    hint: 'the driver refuses this combination of features: `ublkts features` shows which it has, `dmesg` may say more',
  },
  'ADD_DEV EACCES': { hint: 'the limit of unprivileged devices (module parameter ublks_max) may be reached' },
  'REG_BUF EEXIST': {
    text: 'some of these pages are registered already',
    kind: 'busy',
    hint: '`ublkts list --json` shows the registered buffers',
  },
  'REG_BUF EOPNOTSUPP': {
    text: 'the device was made without --shmem_zc',
    kind: 'unsupported',
    hint: 'add it again with --shmem_zc',
  },
  'REG_BUF EFAULT': {
    hint: 'the file may have become shorter, or may only be readable: try --rdonly_shmem_buf',
  },
  'REG_BUF ENOMEM': { hint: 'the limit of pinned memory (ulimit -l) or memory itself is used up' },
  'UNREG_BUF ENOENT': {
    text: 'no buffer has this index',
    kind: 'failed',
    hint: '`ublkts list --json` shows the registered buffers',
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
    hint: 'unmount it and end the programs that have it open, or stop it without --safe',
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
    hint: 'Linux 6.16 and newer can (UBLK_F_UPDATE_SIZE)',
  },
  ENODEV: { text: 'no such device', kind: 'no-device', hint: '`ublkts list` shows the devices' },
  EOPNOTSUPP: {
    text: 'the driver of this kernel does not have this command or feature',
    kind: 'unsupported',
    hint: '`ublkts features` shows which features it has',
  },
};

/** The error of a command whose result is negative. */
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
