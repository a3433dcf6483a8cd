import { usageError } from '../../errors.ts';
import { option } from '../../spec/option-names.ts';

export interface Faults {
  readonly seconds: bigint;
  readonly nanoseconds: bigint;
  readonly dieDuringFetch: boolean;
}

const DELAY = option('targetOptions.delay_us');
const DIE = option('targetOptions.die_during_fetch');
const MICROSECONDS = 1_000_000n;
/** The longest delay that the kernel's clocks can count, in microseconds: about 292 years. */
const MAX_DELAY = (2n ** 63n - 1n) / 1000n;

/** Parses the options of the target. Throws a usage error for a wrong one. */
export function parseFaults(options: Readonly<Record<string, string>>): Faults {
  const { delay_us = '0', die_during_fetch = '0' } = options;
  if (!/^\d+$/.test(delay_us)) throw usageError([DELAY, ` ${delay_us} is not a whole number of microseconds`]);
  if (!/^[01]$/.test(die_during_fetch)) throw usageError([DIE, ` ${die_during_fetch} is neither 0 nor 1`]);
  const delay = BigInt(delay_us);
  if (delay > MAX_DELAY) throw usageError([DELAY, ` ${delay_us} is larger than the kernel's limit of ${MAX_DELAY}`]);
  return {
    seconds: delay / MICROSECONDS,
    nanoseconds: (delay % MICROSECONDS) * 1000n,
    dieDuringFetch: die_during_fetch === '1',
  };
}
