/** The colours, by their meanings, which the rest of the program names. chalk knows whether a stream shows colours. */
import { chalkStderr, default as chalk } from 'chalk';
import type { DeviceState } from '../../device/report/report.ts';

export const styles = {
  heading: chalk.bold,
  path: chalk.cyan,
  dim: chalk.dim,
  good: chalk.green,
  warning: chalk.yellow,
  bad: chalk.red,
} as const;

export const errorStyles = { error: chalkStderr.red, hint: chalkStderr.yellow, dim: chalkStderr.dim } as const;

const STATES: Readonly<Record<DeviceState, (text: string) => string>> = {
  LIVE: styles.good,
  QUIESCED: styles.warning,
  FAIL_IO: styles.bad,
  DEAD: styles.bad,
};

export function stateStyle(state: DeviceState): (text: string) => string {
  return STATES[state];
}
