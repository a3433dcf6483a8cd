/**
 * Runs inside the lab's guest, whose clock counts instructions: `node tools/bench/guest.ts TARGET MODE [quick]` prints a line of
 * JSON for each row and server. Both servers and, where there is one, the kernel's own driver get the same fio jobs, each
 * after a warm-up of all rows in both directions: a JIT that has not seen a depth of 1 or a write is not what is measured.
 */
import { execFileSync } from 'node:child_process';
import { fio, type FioJob } from '../guest/fio.ts';
import { type HugeFile, hugeFile } from '../guest/hugetlbfs.ts';
import { add, describe, ublkts } from '../guest/ublkts.ts';
import {
  type Cell,
  type Mode,
  MODES,
  QUICK_ROWS,
  type Row,
  ROWS,
  rowName,
  type TargetName,
  TARGETS,
} from './matrix.ts';
import { threadTime } from '../guest/thread-time.ts';
import { undisturbed } from './undisturbed.ts';

const KUBLK = '/opt/kublk/kublk';
const KUBLK_ID = 7;
const FILE_MB = 192;
const WARM_UP_ROUNDS = 2;
const WARM_UP_PART = 4;
/** An odd number. */
const RUNS = 3;
const DEPTH = 128;
const SIZE = `-q 1 -d ${DEPTH}`;
const EVERY_BUFFER = { blockSize: '1m', depth: DEPTH, direction: 'write', requests: DEPTH } as const;

async function main(targetName: string | undefined, modeName: string | undefined, quick: boolean): Promise<void> {
  const target = TARGETS.find((name) => name === targetName);
  const mode = MODES.find(({ name }) => name === modeName);
  if (target === undefined || mode === undefined) throw new Error(`no such target or mode: ${targetName} ${modeName}`);
  const rows = quick ? QUICK_ROWS : ROWS;
  const files = makeFiles(target);
  const buffer = mode.shared ? hugeFile(64) : null;
  // kublk's stripe does not know shared memory: it would be measured reading and writing the wrong bytes.
  if (!(target === 'stripe' && mode.shared)) await measureKublk(target, mode, files, buffer, rows);
  await measureUblkts(target, mode, files, buffer, rows);
  if (mode.name === 'plain' && !quick) await measureKernel(target, files, rows);
  buffer?.remove();
}

function makeFiles(target: TargetName): string[] {
  if (target === 'null') return [];
  execFileSync('mkdir', ['-p', '/mnt/bench']);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1g', 'none', '/mnt/bench']);
  const files = target === 'loop' ? ['/mnt/bench/a'] : ['/mnt/bench/a', '/mnt/bench/b'];
  // Written, not allocated: who touched a page first must not matter.
  for (const file of files)
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${FILE_MB}`, 'status=none']);
  return files;
}

async function measureKublk(
  target: TargetName,
  mode: Mode,
  files: string[],
  buffer: HugeFile | null,
  rows: readonly Row[],
) {
  const options = `-t ${target} -n ${KUBLK_ID} ${SIZE} ${mode.flags} ${sharedOf(buffer)} ${files.join(' ')}`;
  execFileSync(KUBLK, ['add', ...words(options)], { stdio: 'ignore' });
  await measure(
    { server: 'kublk', device: `/dev/ublkb${KUBLK_ID}`, pid: await serverOf(KUBLK_ID) },
    target,
    mode,
    buffer,
    rows,
  );
  execFileSync(KUBLK, ['del', '-n', String(KUBLK_ID)]);
}

async function measureUblkts(
  target: TargetName,
  mode: Mode,
  files: string[],
  buffer: HugeFile | null,
  rows: readonly Row[],
) {
  // The very path of kublk's, not the one that we would choose.
  const path = mode.name === 'plain' ? '--data_path copy' : '';
  const options = `-t ${target} ${SIZE} ${mode.flags} ${path} ${sharedOf(buffer)} ${files.join(' ')}`;
  const device = await add(words(options).join(' '));
  await measure({ server: 'ublkts', device: device.path, pid: await serverOf(device.id) }, target, mode, buffer, rows);
  await ublkts(`del -n ${device.id}`);
}

function sharedOf(buffer: HugeFile | null): string {
  return buffer === null ? '' : `--htlb ${buffer.path}`;
}

function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '');
}

/** Measures the ceiling: the kernel's own driver of the same kind, without a server. */
async function measureKernel(target: TargetName, files: string[], rows: readonly Row[]): Promise<void> {
  const [mode] = MODES;
  if (mode === undefined || target === 'stripe') return;
  if (target === 'null') {
    execFileSync('modprobe', ['null_blk', 'nr_devices=1', 'submit_queues=1', 'hw_queue_depth=128', 'gb=1']);
    await measure({ server: 'kernel', device: '/dev/nullb0', pid: null }, target, mode, null, rows);
    return;
  }
  execFileSync('modprobe', ['loop']);
  const device = execFileSync('losetup', ['--find', '--show', '--direct-io=on', ...files], { encoding: 'utf8' }).trim();
  await measure({ server: 'kernel', device, pid: null }, target, mode, null, rows);
  execFileSync('losetup', ['--detach', device]);
}

async function serverOf(id: number): Promise<number> {
  return (await describe(id)).ublksrv_pid;
}

interface Measured {
  readonly server: Cell['server'];
  readonly device: string;
  /** The process id of its server, when it has one. */
  readonly pid: number | null;
}

function measure(
  measured: Measured,
  target: TargetName,
  mode: Mode,
  buffer: HugeFile | null,
  rows: readonly Row[],
): Promise<void> {
  const { server, device } = measured;
  return undisturbed(device, async () => {
    await warmUp(measured, buffer, rows);
    for (const row of rows) {
      const cell: Cell = { target, mode: mode.name, row: rowName(row), server, ...(await cost(measured, buffer, row)) };
      process.stdout.write(`${JSON.stringify(cell)}\n`);
    }
  });
}

async function warmUp({ server, device }: Measured, buffer: HugeFile | null, rows: readonly Row[]): Promise<void> {
  // In a quick run, a server without a JIT is warm after its own rows; ours needs all rows to be in the state of the
  // table.
  const brief = rows.length < ROWS.length && server !== 'ublkts';
  // A buffer of the server's gets its memory when it is first used: all are, before anything is measured. Those of
  // requests that match are fio's, which has not so many.
  if (buffer === null) await fio(device, jobOf(EVERY_BUFFER, buffer));
  for (let round = 0; round < (brief ? 1 : WARM_UP_ROUNDS); round++) {
    for (const row of brief ? rows : ROWS) {
      for (const direction of ['read', 'write'] as const) {
        await fio(device, jobOf({ ...row, direction, requests: Math.ceil(row.requests / WARM_UP_PART) }, buffer));
      }
    }
  }
}

type Cost = Pick<Cell, 'iops' | 'inServer'>;

/** The run in the middle: something else's 50 ms in one of them, which happens, are more than a tenth of a short row. */
async function cost(measured: Measured, buffer: HugeFile | null, row: Row): Promise<Cost> {
  const runs: Cost[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await costOfRun(measured, buffer, row));
  return runs.toSorted((one, other) => one.iops - other.iops)[RUNS >> 1]!;
}

async function costOfRun({ device, pid }: Measured, buffer: HugeFile | null, row: Row): Promise<Cost> {
  const before = pid === null ? 0 : threadTime(pid);
  const { error, iops, requests, stderr } = await fio(device, jobOf(row, buffer));
  if (error !== 0) throw new Error(`fio on ${device}: ${error} ${stderr}`);
  const inServer = pid === null ? null : Math.round((threadTime(pid) - before) / requests);
  return { iops: Math.round(iops), inServer };
}

function jobOf({ direction, blockSize, depth, requests }: Row, buffer: HugeFile | null): FioJob {
  return {
    rw: `rand${direction}`,
    norandommap: true,
    bs: blockSize,
    iodepth: depth,
    number_ios: requests,
    size: `${FILE_MB - 32}m`,
    // Without this option fio ends when it has moved as many bytes as the area has.
    io_size: '1t',
    ...(buffer === null ? {} : { mem: `mmaphuge:${buffer.path}` }),
  };
}

const [target, mode, quick] = process.argv.slice(2);
await main(target, mode, quick === 'quick');
