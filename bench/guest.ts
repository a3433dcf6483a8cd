/**
 * Runs inside the lab's guest, whose clock counts instructions: `node bench/guest.ts TARGET MODE [quick]` prints a line of
 * JSON for each row and server. Both servers and, where there is one, the kernel's own driver get the same fio jobs, each
 * after a warm-up of all rows in both directions: a JIT that has not seen a depth of 1 or a write is not what is measured.
 */
import { execFileSync } from 'node:child_process';
import { fio, type FioJob } from '../test/support/fio.ts';
import { type HugeFile, hugeFile } from '../test/support/hugetlbfs.ts';
import { add, ublkts } from '../test/support/ublkts.ts';
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

const KUBLK = '/opt/kublk/kublk';
const KUBLK_ID = 7;
const FILE_MB = 192;
const WARM_UP_ROUNDS = 2;

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
  const shared = buffer === null ? [] : ['--htlb', buffer.path];
  const flags = mode.flags.split(' ').filter((flag) => flag !== '');
  const options = ['add', '-t', target, '-n', String(KUBLK_ID), '-q', '1', '-d', '128', ...flags, ...shared, ...files];
  execFileSync(KUBLK, options, { stdio: 'ignore' });
  await measure('kublk', target, mode, `/dev/ublkb${KUBLK_ID}`, buffer, rows);
  execFileSync(KUBLK, ['del', '-n', String(KUBLK_ID)]);
}

async function measureUblkts(
  target: TargetName,
  mode: Mode,
  files: string[],
  buffer: HugeFile | null,
  rows: readonly Row[],
) {
  const shared = buffer === null ? '' : `--htlb ${buffer.path}`;
  // The very path of kublk's, not the one that we would choose.
  const path = mode.name === 'plain' ? '--data_path copy' : '';
  const line = `-t ${target} -q 1 -d 128 ${mode.flags} ${path} ${shared} ${files.join(' ')}`;
  const device = await add(line.replaceAll(/ +/g, ' ').trim());
  await measure('ublkts', target, mode, device.path, buffer, rows);
  await ublkts(`del -n ${device.id}`);
}

/** The ceiling: the kernel's own driver of the kind, with no server at all. */
async function measureKernel(target: TargetName, files: string[], rows: readonly Row[]): Promise<void> {
  const [mode] = MODES;
  if (mode === undefined || target === 'stripe') return;
  if (target === 'null') {
    execFileSync('modprobe', ['null_blk', 'nr_devices=1', 'submit_queues=1', 'hw_queue_depth=128', 'gb=1']);
    await measure('kernel', target, mode, '/dev/nullb0', null, rows);
    return;
  }
  execFileSync('modprobe', ['loop']);
  const device = execFileSync('losetup', ['--find', '--show', '--direct-io=on', ...files], { encoding: 'utf8' }).trim();
  await measure('kernel', target, mode, device, null, rows);
  execFileSync('losetup', ['--detach', device]);
}

async function measure(
  server: Cell['server'],
  target: TargetName,
  mode: Mode,
  device: string,
  buffer: HugeFile | null,
  rows: readonly Row[],
): Promise<void> {
  execFileSync('udevadm', ['settle']);
  const memory: FioJob = buffer === null ? {} : { mem: `mmaphuge:${buffer.path}` };
  const job = (row: Row): FioJob => ({
    rw: `rand${row.direction}`,
    norandommap: true,
    bs: row.blockSize,
    iodepth: row.depth,
    number_ios: row.requests,
    size: `${FILE_MB - 32}m`,
    ...memory,
  });
  // In a quick look, what has no JIT is warm after its own rows; ours needs all of them to be in the table's state.
  const brief = rows.length < ROWS.length && server !== 'ublkts';
  for (let round = 0; round < (brief ? 1 : WARM_UP_ROUNDS); round++) {
    for (const row of brief ? rows : ROWS) {
      for (const direction of ['read', 'write'] as const) {
        await fio(device, job({ ...row, direction, requests: Math.ceil(row.requests / 4) }));
      }
    }
  }
  for (const row of rows) {
    const result = await fio(device, job(row));
    if (result.error !== 0) throw new Error(`fio on ${device}: ${result.error} ${result.stderr}`);
    const cell: Cell = { target, mode: mode.name, row: rowName(row), server, iops: Math.round(result.iops) };
    process.stdout.write(`${JSON.stringify(cell)}\n`);
  }
}

const [target, mode, quick] = process.argv.slice(2);
await main(target, mode, quick === 'quick');
