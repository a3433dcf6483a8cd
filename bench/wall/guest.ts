/**
 * Runs inside the lab's guest, on two CPUs and the wall clock: `node bench/wall/guest.ts TARGET` prints a line of JSON for
 * each round. Both servers are there all the time and take turns, so that what the host does meets both.
 */
import { execFileSync } from 'node:child_process';
import { fio } from '../../test/support/fio.ts';
import { add, ublkts } from '../../test/support/ublkts.ts';
import { type Row, ROWS, rowName, TARGETS } from '../matrix.ts';
import { undisturbed } from '../undisturbed.ts';
import { type Round, ROUNDS, SECONDS } from './rounds.ts';

const KUBLK = '/opt/kublk/kublk';
const KUBLK_ID = 7;
const FILE_MB = 192;
const DEVICE = ['-q', '2', '-d', '128'];

async function main(name: string | undefined): Promise<void> {
  const target = TARGETS.find((known) => known === name);
  if (target === undefined) throw new Error(`no such target: ${name}`);
  const ours = await add(
    `-t ${target} ${DEVICE.join(' ')} --data_path copy ${makeFiles(target, 'ublkts').join(' ')}`.trim(),
  );
  const files = makeFiles(target, 'kublk');
  execFileSync(KUBLK, ['add', '-t', target, '-n', String(KUBLK_ID), ...DEVICE, ...files], { stdio: 'ignore' });
  const servers = [
    { server: 'ublkts', path: ours.path },
    { server: 'kublk', path: `/dev/ublkb${KUBLK_ID}` },
  ] as const;
  // Who was first in a round is second in the next: neither always runs after the other's files were in the caches.
  const inTurns = async (number: number, seconds: number, tell: (round: Omit<Round, 'target'>) => void) => {
    const order = number % 2 === 0 ? servers : servers.toReversed();
    for (const row of ROWS) {
      for (const { server, path } of order) tell({ row: rowName(row), server, iops: await iopsOf(path, row, seconds) });
    }
  };
  await undisturbed(ours.path, () =>
    undisturbed(`/dev/ublkb${KUBLK_ID}`, async () => {
      for (let round = 0; round < 2; round++) await inTurns(round, SECONDS / 2, () => {});
      for (let round = 0; round < ROUNDS; round++) {
        await inTurns(round, SECONDS, (measured) =>
          process.stdout.write(`${JSON.stringify({ target, ...measured })}\n`),
        );
      }
    }),
  );
  await ublkts(`del -n ${ours.id}`);
  execFileSync(KUBLK, ['del', '-n', String(KUBLK_ID)]);
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
