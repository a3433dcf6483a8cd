/**
 * Played in the lab's guest: a device with a shared buffer, clients that use it and one that does not, and the monitor
 * watching. Leaves the screen and the recording in /results.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRAM, Terminal } from '../../test/monitor/terminal.ts';
import { fio } from '../guest/fio.ts';
import { hugeFile } from '../guest/hugetlbfs.ts';
import { cellsOf } from './cells.ts';

const COLUMNS = 150;
const ROWS = 38;
/** An emulated machine on a busy one is slow to draw its first frame. */
const PATIENCE_MS = 300_000;

const huge = hugeFile(8);
execFileSync('truncate', ['--size', '64M', '/tmp/disk.img']);
ublkts('add', '-t', 'loop', '--shmem_zc', '-q', '4', '-d', '64', '--htlb', huge.path, '/tmp/disk.img');
ublkts('add', '-t', 'fault_inject', '--delay_us', '20000', '-q', '2', '-d', '32');
execFileSync('udevadm', ['settle']);

const common = { size: '64M', bs: '4k', iodepth: 8, time_based: true, runtime: 900, rate_process: 'poisson' } as const;
const shared = { ...common, mem: `mmapshared:${huge.path}` };
for (const [device, job] of [
  ['/dev/ublkb0', { ...shared, rw: 'randrw', rate_iops: '90,60', cpus_allowed: 1 }],
  ['/dev/ublkb0', { ...shared, rw: 'randread', rate_iops: 60, cpus_allowed: 2 }],
  ['/dev/ublkb0', { ...common, rw: 'randread', rate_iops: 35, cpus_allowed: 0 }],
  ['/dev/ublkb1', { ...common, rw: 'randread', iodepth: 4, rate_iops: 60 }],
] as const) {
  void fio(device, job);
}

const recording: [seconds: number, data: string][] = [];
let begun = Number.NaN;
const terminal = new Terminal([process.execPath, PROGRAM, 'monitor', '--interval', '1'], {
  columns: COLUMNS,
  rows: ROWS,
  onData: (data) => {
    if (Number.isNaN(begun)) begun = performance.now();
    recording.push([(performance.now() - begun) / 1000, data]);
  },
});
await terminal.until(/busiest/, PATIENCE_MS);
await sleep(6000);
terminal.press('\r');
await terminal.until(/HISTORY/, PATIENCE_MS);
await sleep(75_000);
await terminal.until(/queue \d █.*busiest/, PATIENCE_MS);
mkdirSync('/results', { recursive: true });
writeFileSync('/results/screen.json', JSON.stringify(await terminal.see(cellsOf)));
terminal.press('3');
await sleep(5000);
terminal.press('q');
await terminal.exited;

const head = { version: 2, width: COLUMNS, height: ROWS, title: 'ublkts monitor', env: { TERM: 'xterm-256color' } };
const lines = recording.map(([seconds, data]) => [Number(seconds.toFixed(3)), 'o', data]);
writeFileSync('/results/monitor.cast', [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));

// The guest goes, and clients and devices with it.
process.exit(0);

function ublkts(...words: string[]): void {
  execFileSync(process.execPath, [PROGRAM, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
}
