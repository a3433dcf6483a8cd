/** Turns refusals of the driver into errors that name the command, the device, the errno and what to do next. */
import { UblkError, type FailureKind } from '../errors.ts';
import { THREADS_HINT, throwShortage } from '../native/shortage.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { permissionHint, whyNoDriver } from './missing-driver.ts';

/** The error of a control device that could not be opened. */
export function openFailure(path: string, cause: unknown): UblkError {
  throwShortage(cause);
  const code = (cause as NodeJS.ErrnoException).code ?? 'EIO';
  const absent = whyNoDriver();
  const details: { kind: FailureKind; hint: string } =
    code === 'EACCES' || code === 'EPERM'
      ? { kind: 'permission', hint: permissionHint() }
      : { kind: 'unsupported', hint: absent.hint };
  const reason = code === 'ENOENT' || code === 'ENODEV' ? absent.reason : code;
  return new UblkError(`cannot open ${path}: ${reason}`, { code, command: 'open', cause, ...details });
}

/** The subject of a sentence about a command that names no device. */
const ANY_DEVICE = 'a device';

/** `about` is "device 3", or ANY_DEVICE. */
type Sentence = (about: string) => string;

interface Meaning {
  /** Says what is so. Without it, the message is what was asked for and the errno in words. */
  readonly text?: Sentence;
  readonly kind?: FailureKind;
  readonly hint?: string | ((device: number) => string);
}

const MADE_WITHOUT_RECOVERY: Sentence = (about) => `${about} was made without recovery`;
const MADE_WITHOUT_SHARING: Sentence = (about) => `${about} was made without --shmem_zc`;

/** Says what a refusal means. The key is `COMMAND errno`, or the errno alone for every command without such an entry. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  'ADD_DEV EEXIST': {
    text: (about) => `${about} exists already: the id is taken`,
    kind: 'busy',
    hint: (device) => `leave out -n to get a free id, or delete that device first: \`ublkts del -n ${device}\``,
  },
  'ADD_DEV EINVAL': {
    hint: 'the driver refuses this combination of features: `ublkts features` shows which it has, `dmesg` may say more',
  },
  'ADD_DEV EACCES': { hint: 'the limit of unprivileged devices (module parameter ublks_max) may be reached' },
  'REG_BUF EEXIST': {
    text: (about) => `some of these pages are registered with ${about} already`,
    kind: 'busy',
    hint: '`ublkts list --json` shows the registered buffers',
  },
  'REG_BUF EOPNOTSUPP': {
    text: MADE_WITHOUT_SHARING,
    kind: 'unsupported',
    hint: 'add it again with --shmem_zc',
  },
  'REG_BUF EFAULT': {
    hint: 'use a file on a hugetlbfs or tmpfs, such as /dev/shm, that does not become shorter: one on a disk can only be registered with --rdonly_shmem_buf',
  },
  'REG_BUF ENOMEM': { hint: 'memory is short: use a smaller file, or free memory first' },
  'UNREG_BUF ENOENT': {
    text: (about) => `${about} has no buffer with this index`,
    kind: 'failed',
    hint: '`ublkts list --json` shows the registered buffers',
  },
  'UNREG_BUF EOPNOTSUPP': { text: MADE_WITHOUT_SHARING, kind: 'unsupported' },
  'START_USER_RECOVERY EBUSY': {
    text: (about) => `${about} still has a server`,
    hint: 'only a device whose server is gone can be recovered',
  },
  'START_USER_RECOVERY EINVAL': {
    text: MADE_WITHOUT_RECOVERY,
    hint: 'only a device that was added with -r 1, -i 1 or -e 1 can be recovered',
  },
  'TRY_STOP_DEV EBUSY': {
    text: (about) => `${about} is in use`,
    hint: 'unmount it and end the programs that have it open, or stop it without --safe',
  },
  'QUIESCE_DEV EBUSY': {
    text: (about) => `requests of ${about} did not finish in time`,
    hint: 'try again when there is less I/O',
  },
  'QUIESCE_DEV EOPNOTSUPP': {
    text: MADE_WITHOUT_RECOVERY,
    kind: 'unsupported',
    hint: 'only a device that was added with -r 1, -i 1 or -e 1 can wait for another server',
  },
  'UPDATE_SIZE EOPNOTSUPP': {
    text: () => 'this kernel cannot resize a device',
    kind: 'unsupported',
    hint: 'Linux 6.16 and newer can (UBLK_F_UPDATE_SIZE)',
  },
  ENODEV: {
    text: (about) => `there is no ${about === ANY_DEVICE ? 'such device' : about}`,
    kind: 'no-device',
    hint: '`ublkts list` shows the devices',
  },
  // A kernel thread carries out a command that may wait, and io_uring cancels the command when there can be none.
  ECANCELED: { hint: THREADS_HINT },
  EOPNOTSUPP: { kind: 'unsupported', hint: '`ublkts features` shows which features the driver has' },
};

/** Says what each command asks the driver to do, in words that follow "cannot". */
const REQUESTS: Readonly<Record<string, Sentence>> = {
  ADD_DEV: (about) => `add ${about}`,
  DEL_DEV: (about) => `delete ${about}`,
  DEL_DEV_ASYNC: (about) => `delete ${about}`,
  START_DEV: (about) => `start ${about}`,
  STOP_DEV: (about) => `stop ${about}`,
  TRY_STOP_DEV: (about) => `stop ${about}`,
  GET_DEV_INFO: (about) => `read the state of ${about}`,
  GET_QUEUE_AFFINITY: (about) => `read which CPUs submit to a queue of ${about}`,
  GET_PARAMS: (about) => `read the parameters of ${about}`,
  SET_PARAMS: (about) => `set the parameters of ${about}`,
  GET_FEATURES: () => 'read the features of the driver',
  START_USER_RECOVERY: (about) => `recover ${about}`,
  END_USER_RECOVERY: (about) => `recover ${about}`,
  UPDATE_SIZE: (about) => `resize ${about}`,
  QUIESCE_DEV: (about) => `quiesce ${about}`,
  REG_BUF: (about) => `register a buffer with ${about}`,
  UNREG_BUF: (about) => `unregister a buffer of ${about}`,
};

/** The error of a command whose result is negative: `there is no device 0 (GET_DEV_INFO, ENODEV)`. */
export function commandFailure(command: string, device: number, result: number): UblkError {
  const code = errnoName(-result);
  const meaning = MEANINGS[`${command} ${code}`] ?? MEANINGS[code] ?? {};
  const sentence =
    meaning.text?.(subjectOf(device)) ?? `cannot ${requestOf(command, device)}: ${reasonOf(code, -result)}`;
  const hint = typeof meaning.hint === 'function' ? meaning.hint(device) : meaning.hint;
  return new UblkError(`${sentence} (${command}, ${code})`, {
    code,
    command,
    ...(device >= 0 ? { device } : {}),
    ...(meaning.kind === undefined ? {} : { kind: meaning.kind }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Says what the command asks the driver to do: `stop device 0`. */
export function requestOf(command: string, device: number): string {
  const about = subjectOf(device);
  return REQUESTS[command]?.(about) ?? `run ${command} on ${about}`;
}

function subjectOf(device: number): string {
  return device >= 0 ? `device ${device}` : ANY_DEVICE;
}

function reasonOf(code: string, errno: number): string {
  return code === 'EOPNOTSUPP' ? 'the driver of this kernel does not have this command or feature' : errnoText(errno);
}
