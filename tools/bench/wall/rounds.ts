/** Rounds of the servers on the wall clock, and what is made of them. Pure. */
import type { TargetName } from '../matrix.ts';
import { median } from '../median.ts';

/**
 * The place where an emulator puts the code of a server changes a figure by two or three percent for the whole life of
 * a guest, so one guest is not enough.
 */
export const GUESTS = 3;
export const ROUNDS_A_GUEST = 3;
export const SECONDS = 2;

/** ublkts as `add` starts it, ublkts with the data path of kublk, and kublk. */
export const SERVERS = ['ublkts', 'ublkts copy', 'kublk'] as const;
export type ServerName = (typeof SERVERS)[number];

export interface Round {
  readonly target: TargetName;
  readonly row: string;
  readonly server: ServerName;
  readonly iops: number;
}

export function isRound(value: unknown): value is Round {
  return typeof value === 'object' && value !== null && 'iops' in value && 'server' in value && 'row' in value;
}

/**
 * The servers in the order of a round. The first server of one round is the last of the next, so that none always runs
 * after the same one and its caches.
 */
export function orderOf<T>(round: number, servers: readonly T[]): readonly T[] {
  const first = round % servers.length;
  return [...servers.slice(first), ...servers.slice(0, first)];
}

/** One line per target and row: the ratios of the medians to kublk's, the medians, and how far the rounds lie apart. */
export function markdown(rounds: readonly Round[]): string {
  const names = [...new Set(rounds.map(({ target, row }) => `${target}|${row}`))];
  const lines = names.map((name) => {
    const [ours, copy, theirs] = SERVERS.map((server) =>
      rounds
        .filter((round) => `${round.target}|${round.row}` === name && round.server === server)
        .map(({ iops }) => iops),
    ) as [number[], number[], number[]];
    const ratios = [ours, copy].map((own) => (median(own) / median(theirs)).toFixed(2));
    return `| ${[...name.split('|'), ...ratios, ...[ours, copy, theirs].map(figures)].join(' | ')} |`;
  });
  return `${HEAD}\n|---|---|---:|---:|---:|---:|---:|\n${lines.join('\n')}\n`;
}

const HEAD =
  '| target | row | ublkts / kublk | copy / kublk | ublkts (least - most) | ublkts copy (least - most) | kublk (least - most) |';

function figures(values: readonly number[]): string {
  return `${figure(median(values))} (${figure(Math.min(...values))} - ${figure(Math.max(...values))})`;
}

function figure(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
