/**
 * Runs inside a guest with four CPUs and the ordinary clock: memory of servers whose target is byte handlers, beyond the
 * disk that these keep in memory.
 */
import { execFileSync } from 'node:child_process';
import { fio } from '../../guest/fio.ts';
import { add, ublkts } from '../../guest/ublkts.ts';
import { BUDGETS, type Figure } from './figures.ts';
import { growth, JOBS, load } from './load.ts';
import { privateDirtyMb } from './memory.ts';

const DISK_MB = 64;
const SIZE = `${DISK_MB}m`;
/** Requests of each job, in both directions. */
const WARM_UP = 10_000;
/** A target's file that others than root may write is not run, and the folder of the project is the host's. */
const DIRECTORY = '/tmp/bench-handlers';
const TARGETS = [
  { name: 'ram.ts', file: 'examples/ram.ts' },
  { name: 'ram.ts with promises', file: 'tools/bench/handlers/later.ts' },
];

function report(figure: Figure): void {
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}

async function measure({ name, file }: (typeof TARGETS)[number]): Promise<void> {
  execFileSync('cp', [file, `${DIRECTORY}/target.ts`]);
  execFileSync('chmod', ['-R', 'go-w', DIRECTORY]);
  const device = await add(`-t ${DIRECTORY}/target.ts -o size=${DISK_MB}M -q 2 -d 128`);
  // All of the disk is in memory from here on.
  const { error, stderr } = await fio(device.path, { rw: 'write', bs: '4k', iodepth: 32, size: SIZE });
  if (error !== 0) throw new Error(`fio on ${device.path}: ${error} ${stderr}`);
  await load(device.path, SIZE, WARM_UP);
  report({
    what: `server of ${name}, -q 2 -d 128, beyond its disk, after I/O`,
    budget: BUDGETS.handlersMb,
    figure: privateDirtyMb(device.ublksrv_pid) - DISK_MB,
    unit: 'MB',
    note: `private dirty without the ${DISK_MB} MB of the disk, after ${(2 * JOBS * WARM_UP).toLocaleString('en-US')} requests on all CPUs`,
  });
  report(await growth(`${name}, -q 2`, device, SIZE));
  await ublkts(`del -n ${device.id}`);
}

execFileSync('mkdir', ['-p', DIRECTORY]);
for (const target of TARGETS) await measure(target);
