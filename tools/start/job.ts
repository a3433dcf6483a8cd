#!/usr/bin/env node
/**
 * Shows what this project is for: it makes a null device with a shared buffer, runs fio once with its memory
 * in that buffer and once without, and prints what became of the requests. `npm start` runs it in the lab.
 */
import { existsSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { DeviceReport, IoReport } from '../../src/device/report/report.ts';
import { lockDevice } from '../guest/device-lock.ts';
import { fio, requireBlockDevice } from '../guest/fio.ts';
import { hugeFile } from '../guest/hugetlbfs.ts';
import { tidied } from '../guest/tidied.ts';
import { add, describe, ublkts } from '../guest/ublkts.ts';

const REQUESTS = 10_000;
const JOB = { rw: 'randrw', bs: '4k', iodepth: 32, number_ios: REQUESTS, size: '256M', norandommap: true } as const;

interface Row {
  readonly buffers: string;
  readonly requests: number;
  readonly matched: number;
  readonly copied: number;
  /** The bytes of the matched requests, which nobody copied. */
  readonly bytesNotCopied: number;
}

/** Returns what went wrong, in sentences; none when all is well. */
async function mainJob(): Promise<string[]> {
  if (!existsSync('/dev/ublk-control')) {
    return ['this kernel has no /dev/ublk-control: try `modprobe ublk_drv`, or `npm start` without --host'];
  }
  const buffer = hugeFile();
  return tidied(async () => {
    const device = await add(`-t null --shmem_zc --htlb ${buffer.path}`);
    return tidied(
      () => measure(device, buffer.path),
      () => ublkts(`del -n ${device.id}`),
    );
  }, buffer.remove);
}

async function measure(device: DeviceReport, buffer: string): Promise<string[]> {
  requireBlockDevice(device.path);
  say(`${device.path}: null, ${device.nr_hw_queues} queues of ${device.queue_depth}, shared buffer ${buffer}`);
  const lock = await lockDevice(device.path);
  try {
    const shared = await row(device, 'the shared buffer', { mem: `mmaphuge:${buffer}` });
    const own = await row(device, 'memory of its own', {});
    say(`\n${table([shared, own])}\n`);
    return wrong(shared, own);
  } finally {
    await lock.release();
  }
}

async function row(device: DeviceReport, buffers: string, options: Record<string, string>): Promise<Row> {
  const before = await tally(device);
  const { error, requests, stderr } = await fio(device.path, { ...JOB, ...options });
  if (error !== 0) throw new Error(`fio failed with ${error}: ${stderr}`);
  const after = await tally(device);
  return {
    buffers,
    requests,
    matched: after.matched.requests - before.matched.requests,
    copied: after.copied.requests - before.copied.requests,
    bytesNotCopied: after.matched.bytes - before.matched.bytes,
  };
}

async function tally({ id }: DeviceReport): Promise<IoReport> {
  const { io } = await describe(id);
  if (io === null) throw new Error(`ublkts list shows no counters of device ${id}`);
  return io;
}

function wrong(shared: Row, own: Row): string[] {
  const sentences: string[] = [];
  if (shared.matched === 0) sentences.push('no request matched although fio had its memory in the shared buffer');
  else if (shared.matched !== shared.requests) {
    sentences.push(`only ${shared.matched} of ${shared.requests} requests matched the shared buffer`);
  }
  if (own.matched > 0) sentences.push(`${own.matched} requests matched although fio had memory of its own`);
  if (own.copied !== own.requests) sentences.push(`fio made ${own.requests} requests and ${own.copied} were copied`);
  return sentences;
}

function table(rows: readonly Row[]): string {
  const head = ["fio's buffers are", 'requests', 'matched', 'copied', 'MB not copied'];
  const body = rows.map(({ buffers, requests, matched, copied, bytesNotCopied }) => [
    buffers,
    ...[requests, matched, copied].map((count) => count.toLocaleString('en')),
    (bytesNotCopied / 1e6).toFixed(1),
  ]);
  const widths = head.map((word, column) => Math.max(word.length, ...body.map((cells) => cells[column]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ');
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [bold(line(head)), dim(rule), ...body.map(line)].map((text) => `  ${text}`).join('\n');
}

const coloured = !process.env['NO_COLOR'] && (isatty(1) || Boolean(process.env['FORCE_COLOR']));

function bold(text: string): string {
  return coloured ? `\u001b[1m${text}\u001b[22m` : text;
}

function dim(text: string): string {
  return coloured ? `\u001b[2m${text}\u001b[22m` : text;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  const sentences = await mainJob();
  for (const sentence of sentences) process.stderr.write(`failed: ${sentence}\n`);
  process.exitCode = sentences.length > 0 ? 1 : 0;
} catch (error) {
  process.stderr.write(`failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
