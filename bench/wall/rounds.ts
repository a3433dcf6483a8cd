/** Rounds of both servers on the wall clock, and what is made of them. Pure. */
import type { TargetName } from '../matrix.ts';
import { median } from '../median.ts';

export const ROUNDS = 9;
export const SECONDS = 2;

export interface Round {
  readonly target: TargetName;
  readonly row: string;
  readonly server: 'ublkts' | 'kublk';
  readonly iops: number;
}

export function isRound(value: unknown): value is Round {
  return typeof value === 'object' && value !== null && 'iops' in value && 'server' in value && 'row' in value;
}

/** One line a target and row: the ratio of the medians, the medians, and how far the rounds lie apart. */
export function markdown(rounds: readonly Round[]): string {
  const names = [...new Set(rounds.map(({ target, row }) => `${target}|${row}`))];
  const lines = names.map((name) => {
    const of = (server: Round['server']) =>
      rounds.filter((round) => `${round.target}|${round.row}` === name && round.server === server);
    const [ours, theirs] = [of('ublkts').map(iopsOf), of('kublk').map(iopsOf)];
    const ratio = (median(ours) / median(theirs)).toFixed(2);
    return `| ${name.replace('|', ' | ')} | ${ratio} | ${figures(ours)} | ${figures(theirs)} |`;
  });
  return `| target | row | ratio | ublkts (least - most) | kublk (least - most) |\n|---|---|---:|---:|---:|\n${lines.join('\n')}\n`;
}

function iopsOf({ iops }: Round): number {
  return iops;
}

function figures(values: readonly number[]): string {
  return `${figure(median(values))} (${figure(Math.min(...values))} - ${figure(Math.max(...values))})`;
}

function figure(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
