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
] as const;
export type Misfortune = (typeof MISFORTUNES)[number];

/** The recovery flags of `add`. Without one, the device ends with its server. */
export const POLICIES = ['', '-r 1', '-r 1 -i 1', '-r 1 -e 1'] as const;
export type Policy = (typeof POLICIES)[number];

const TARGETS = ['loop', 'loop', 'stripe', 'stripe', 'null', 'fault_inject'] as const;
export type Target = (typeof TARGETS)[number];

const PATHS = ['copy', 'user_copy', 'zero_copy', 'auto_zc', 'batch+copy', 'batch+user_copy', 'batch+auto_zc'] as const;
const COPYING_PATHS = ['copy', 'get_data', 'user_copy', 'batch+copy'] as const;

/** The part of a device that the client uses, in blocks of 4 KiB. */
export const BLOCKS = 256;

export interface Round {
  readonly number: number;
  readonly target: Target;
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
  const needsFile = misfortune === 'full disk' || misfortune === 'backing error';
  const target = needsFile ? random.pick(['loop', 'stripe'] as const) : random.pick(TARGETS);
  const dataPath = random.pick(target === 'fault_inject' ? COPYING_PATHS : PATHS);
  return {
    number,
    target,
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

export function hasData({ target }: Round): boolean {
  return target === 'loop' || target === 'stripe';
}

/** Whether the client may see an error. Wrong data it may never see. */
export function mayFail({ misfortune, policy, recovers }: Round): boolean {
  if (misfortune === 'full disk' || misfortune === 'backing error') return true;
  if (misfortune === 'quiesce') return policy === '-r 1 -e 1' || (policy !== '' && !recovers);
  if (misfortune === 'kill -9') return policy !== '-r 1 -i 1' || !recovers;
  return false;
}

export function describeRound(round: Round): string {
  const { target, dataPath, policy, misfortune, queues, depth, recovers, byCommands } = round;
  const bereft = policy !== '' && ['kill -9', 'quiesce'].includes(misfortune);
  const after = bereft ? `, then ${recovers ? 'recover' : 'del'}` : '';
  const by = byCommands ? 'commands' : 'library';
  return `${target} ${dataPath} -q ${queues} -d ${depth} ${policy}`.trim() + ` by ${by}: ${misfortune}${after}`;
}
