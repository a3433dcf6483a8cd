/**
 * Runs inside a guest with four CPUs and the ordinary clock: memory of servers whose target is byte handlers, beyond the
 * disk that these keep in memory.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { DeviceReport } from '../../../src/device/report/report.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { fio } from '../../guest/fio.ts';
import { add, ublkts } from '../../guest/ublkts.ts';
import { BUDGETS, type Figure } from './figures.ts';
import { growth, JOBS, load } from './load.ts';
import { privateDirtyMb } from './memory.ts';

const DISK_MB = 64;
const SIZE = `${DISK_MB}m`;
/** Requests of each job, in both directions. */
const WARM_UP = 10_000;
const SETTLED_MS = 65_000;
/** A target's file that others than root may write is not run, and the folder of the project is the host's. */
const DIRECTORY = '/tmp/bench-handlers';
const TARGETS = [
  { name: 'ram.ts', file: 'examples/ram.ts' },
  { name: 'ram.ts with promises', file: 'tools/bench/handlers/later.ts' },
];
type Target = (typeof TARGETS)[number];

function report(figure: Figure): void {
  process.stdout.write(`${JSON.stringify(figure)}\n`);
}

/** Beyond the disk, as a user has it, and when the server has returned what V8 needed to optimize (server/free-memory.ts). */
async function memory({ name, file }: Target): Promise<void> {
  const device = await addFilled(file, '-q 2 -d 128');
  await load(device.path, SIZE, WARM_UP);
  await sleep(SETTLED_MS);
  report({
    what: `server of ${name}, -q 2 -d 128, beyond its disk, after I/O`,
    budget: BUDGETS.handlersMb,
    figure: privateDirtyMb(device.ublksrv_pid) - DISK_MB,
    unit: 'MB',
    note: `private dirty without the ${DISK_MB} MB of the disk, after ${(2 * JOBS * WARM_UP).toLocaleString('en-US')} requests on all CPUs and a minute without any`,
  });
  await ublkts(`del -n ${device.id}`);
}

/**
 * A page of an I/O buffer gets memory with the first request that reaches it, which for the last of 256 buffers takes
 * millions of requests, and khugepaged makes huge pages of what is there. Neither is growth, so all buffers have their
 * memory from the start, and there are no huge pages.
 */
async function growthOf({ name, file }: Target): Promise<void> {
  const device = await addFilled(file, '-q 2 -d 128 --max_io_buf_bytes 64k --mlock');
  report(await growth(`${name}, -q 2`, device, SIZE));
  await ublkts(`del -n ${device.id}`);
}

/**
 * A device all of whose disk is in memory. One request at a time fills it: the block layer makes larger ones of
 * neighbours that wait, and then the I/O buffers are fuller than with requests of 4k.
 */
async function addFilled(file: string, flags: string): Promise<DeviceReport> {
  execFileSync('cp', [file, `${DIRECTORY}/target.ts`]);
  execFileSync('chmod', ['-R', 'go-w', DIRECTORY]);
  const device = await add(`-t ${DIRECTORY}/target.ts -o size=${DISK_MB}M ${flags}`);
  const { error, stderr } = await fio(device.path, { rw: 'write', bs: '4k', iodepth: 1, size: SIZE });
  if (error !== 0) throw new Error(`fio on ${device.path}: ${error} ${stderr}`);
  return device;
}

execFileSync('mkdir', ['-p', DIRECTORY]);
for (const target of TARGETS) await memory(target);
writeFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'never');
for (const target of TARGETS) await growthOf(target);
