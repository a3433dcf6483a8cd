/** What happens in a round. It depends on the seed and the round's number only, so that any round can be run again alone. */
import { randomOf } from './random.ts';

export const MISFORTUNES = [
  'kill -9',
  'SIGTERM',
  'SIGSTOP',
  'quiesce',
  'full disk',
  'backing error',
  'memory pressure',
  'holder',
  'dead NBD server',
] as const;
export type Misfortune = (typeof MISFORTUNES)[number];

/** The recovery flags of `add`. Without one, the device ends with its server. */
export const POLICIES = ['', '-r 1', '-r 1 -i 1', '-r 1 -e 1'] as const;
export type Policy = (typeof POLICIES)[number];

const TARGETS = ['loop', 'loop', 'stripe', 'stripe', 'ram', 'nbd', 'null', 'fault_inject'] as const;
export type Target = (typeof TARGETS)[number];

/** What some misfortunes happen to. */
const TARGETS_OF: Partial<Record<Misfortune, readonly Target[]>> = {
  'full disk': ['loop', 'stripe', 'nbd'],
  'backing error': ['loop', 'stripe'],
  'dead NBD server': ['nbd'],
};

const PATHS = ['copy', 'user_copy', 'zero_copy', 'auto_zc', 'batch+copy', 'batch+user_copy', 'batch+auto_zc'] as const;
const COPYING_PATHS = ['copy', 'get_data', 'user_copy', 'batch+copy', 'batch+user_copy'] as const;
const PATHS_OF: Partial<Record<Target, readonly string[]>> = {
  fault_inject: COPYING_PATHS,
  ram: COPYING_PATHS,
  nbd: [...COPYING_PATHS, 'auto_zc', 'batch+auto_zc'],
};

/** The part of a device that the client uses, in blocks of 4 KiB. */
export const BLOCKS = 256;

export interface Round {
  readonly number: number;
  readonly target: Target;
  /** A resident server serves the device, and not a process of its own. */
  readonly isResident: boolean;
  readonly dataPath: string;
  readonly policy: Policy;
  readonly misfortune: Misfortune;
  readonly queues: number;
  readonly depth: number;
  /** How long the client works before it happens. */
  readonly calmMs: number;
  /** Afterwards, a device that has lost its server is recovered, or else deleted. */
  readonly recovers: boolean;
  /** Whether the device is added, recovered and deleted by commands, which take longer than the library. */
  readonly byCommands: boolean;
}

export function planRound(seed: number, number: number): Round {
  const random = randomOf(seed, number);
  // In turn, so that few rounds have all of them.
  const misfortune = MISFORTUNES[number % MISFORTUNES.length]!;
  const target = random.pick(TARGETS_OF[misfortune] ?? TARGETS);
  const dataPath = random.pick(PATHS_OF[target] ?? PATHS);
  return {
    number,
    target,
    isResident: random.between(0, 2) === 0,
    dataPath,
    policy: random.pick(POLICIES),
    misfortune,
    queues: random.between(1, 3),
    // The driver has no batches of one.
    depth: random.pick([dataPath.startsWith('batch+') ? 2 : 1, 4, 16, 64]),
    calmMs: random.between(100, 900),
    recovers: random.between(0, 4) > 0,
    byCommands: random.between(0, 3) === 0,
  };
}

/** Whether the data is in files, which outlive the device. */
export function hasFiles({ target }: Round): boolean {
  return target === 'loop' || target === 'stripe' || target === 'nbd';
}

/** Whether the client can read what it has written. */
export function hasData(round: Round): boolean {
  return hasFiles(round) || round.target === 'ram';
}

/** Whether the client may see an error. Wrong data it may never see. */
export function mayFail({ misfortune, policy, recovers }: Round): boolean {
  if (misfortune === 'full disk' || misfortune === 'backing error') return true;
  if (misfortune === 'quiesce') return policy === '-r 1 -e 1' || (policy !== '' && !recovers);
  if (misfortune === 'kill -9') return policy !== '-r 1 -i 1' || !recovers;
  return false;
}

export function describeRound(round: Round): string {
  const { target, isResident, dataPath, policy, misfortune, queues, depth, recovers, byCommands } = round;
  const bereft = policy !== '' && ['kill -9', 'quiesce'].includes(misfortune);
  const after = bereft ? `, then ${recovers ? 'recover' : 'del'}` : '';
  const by = `by ${byCommands ? 'commands' : 'library'}${isResident ? ' on a resident server' : ''}`;
  return `${target} ${dataPath} -q ${queues} -d ${depth} ${policy}`.trim() + ` ${by}: ${misfortune}${after}`;
}
