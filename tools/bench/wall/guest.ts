/**
 * Runs inside the lab's guest, on two CPUs and the wall clock: `node tools/bench/wall/guest.ts TARGET` prints a line of JSON for
 * each round. The servers are there all the time and take turns, so that what the host does meets them all.
 */
import { execFileSync } from 'node:child_process';
import { fio } from '../../guest/fio.ts';
import { add, ublkts } from '../../guest/ublkts.ts';
import { type Row, ROWS, rowName, TARGETS } from '../matrix.ts';
import { undisturbed } from '../undisturbed.ts';
import { orderOf, ROUNDS_A_GUEST, type Round, SECONDS, type ServerName } from './rounds.ts';

const KUBLK = '/opt/kublk/kublk';
const KUBLK_ID = 7;
const FILE_MB = 192;
const DEVICE = ['-q', '2', '-d', '128'];

async function main(name: string | undefined): Promise<void> {
  const target = TARGETS.find((known) => known === name);
  if (target === undefined) throw new Error(`no such target: ${name}`);
  const ours = await addOurs(target, 'ublkts', []);
  const copy = await addOurs(target, 'ublkts-copy', ['--data_path', 'copy']);
  const files = makeFiles(target, 'kublk');
  execFileSync(KUBLK, ['add', '-t', target, '-n', String(KUBLK_ID), ...DEVICE, ...files], { stdio: 'ignore' });
  const paths: readonly (readonly [ServerName, string])[] = [
    ['ublkts', ours.path],
    ['ublkts copy', copy.path],
    ['kublk', `/dev/ublkb${KUBLK_ID}`],
  ];
  await withAllUndisturbed(
    paths.map(([, path]) => path),
    async () => {
      for (const row of ROWS) for (const [, path] of paths) await iopsOf(path, row, SECONDS);
      for (let number = 0; number < ROUNDS_A_GUEST; number++) {
        for (const row of ROWS) {
          for (const [server, path] of orderOf(number, paths)) {
            const round: Round = { target, row: rowName(row), server, iops: await iopsOf(path, row, SECONDS) };
            process.stdout.write(`${JSON.stringify(round)}\n`);
          }
        }
      }
    },
  );
  for (const { id } of [ours, copy]) await ublkts(`del -n ${id}`);
  execFileSync(KUBLK, ['del', '-n', String(KUBLK_ID)]);
}

function addOurs(target: string, owner: string, path: readonly string[]) {
  return add(['-t', target, ...DEVICE, ...path, ...makeFiles(target, owner)].join(' '));
}

function withAllUndisturbed(paths: readonly string[], measure: () => Promise<void>): Promise<void> {
  return paths.reduceRight((inner, path) => () => undisturbed(path, inner), measure)();
}

function makeFiles(target: string, owner: string): string[] {
  if (target === 'null') return [];
  const folder = `/mnt/${owner}`;
  execFileSync('mkdir', ['-p', folder]);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600m', 'none', folder]);
  const files = (target === 'loop' ? ['a'] : ['a', 'b']).map((file) => `${folder}/${file}`);
  for (const file of files) {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${FILE_MB}`, 'status=none']);
  }
  return files;
}

async function iopsOf(path: string, { direction, blockSize, depth }: Row, seconds: number): Promise<number> {
  const result = await fio(path, {
    rw: `rand${direction}`,
    norandommap: true,
    bs: blockSize,
    iodepth: depth,
    size: `${FILE_MB - 32}m`,
    time_based: true,
    runtime: `${seconds * 1000}ms`,
  });
  if (result.error !== 0) throw new Error(`fio on ${path}: ${result.error} ${result.stderr}`);
  return Math.round(result.iops);
}

await main(process.argv[2]);
