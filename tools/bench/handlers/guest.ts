/**
 * Runs inside the lab's guest, whose clock counts instructions: `node tools/bench/handlers/guest.ts [SERVER...]` prints a line of
 * JSON for each server and row.
 */
import { execFileSync } from 'node:child_process';
import { fio, type FioJob } from '../../guest/fio.ts';
import { add, describe, ublkts } from '../../guest/ublkts.ts';
import { RUNS, settledCost, warmUp } from '../flat/guest/cost.ts';
import { threadTime } from '../../guest/thread-time.ts';
import { undisturbed } from '../undisturbed.ts';
import { HANDLERS_ROWS, type HandlersCell, type HandlersRow, type ServerName, SERVERS } from './rows.ts';

/** The kernel's own server, where its source is, and the rest of the selftests that its Makefile asks for. */
const KUBLK_SOURCE = '/usr/src/ublk/tools/testing/selftests/ublk';
const KUBLK_ID = 7;
const DEVICE = '-q 1 -d 128';
/** A target's file that others than root may write is not run, and the folder of the project is the host's. */
const DIRECTORY = '/tmp/bench-handlers';
const WARM_UP_PART = 4;
const DISK = '64M';
/** The part of the disk that is used. */
const AREA = '32m';

const OURS: Readonly<Record<Exclude<ServerName, 'C'>, string>> = {
  null: '-t null',
  'ram.ts': `-t ${DIRECTORY}/ram.ts -o size=${DISK}`,
  'later.ts': `-t ${DIRECTORY}/later.ts -o size=${DISK}`,
};

async function main(names: readonly string[]): Promise<void> {
  execFileSync('mkdir', ['-p', DIRECTORY]);
  execFileSync('cp', ['examples/ram.ts', 'tools/bench/handlers/later.ts', DIRECTORY]);
  execFileSync('chmod', ['-R', 'go-w', DIRECTORY]);
  for (const server of SERVERS.filter((known) => names.length === 0 || names.includes(known))) {
    if (server === 'C') await measureInC();
    else await measureOurs(server);
  }
}

async function measureOurs(server: Exclude<ServerName, 'C'>): Promise<void> {
  const device = await add(`${OURS[server]} ${DEVICE} --data_path copy`);
  await measure(server, device.path, device.ublksrv_pid);
  await ublkts(`del -n ${device.id}`);
}

async function measureInC(): Promise<void> {
  execFileSync('cp', ['tools/bench/handlers/ram.c', `${KUBLK_SOURCE}/null.c`]);
  execFileSync('make', ['--silent', '-C', KUBLK_SOURCE, 'WERROR=0'], { stdio: 'ignore' });
  const kublk = `${KUBLK_SOURCE}/kublk`;
  execFileSync(kublk, ['add', '-t', 'ram', '-n', String(KUBLK_ID), ...DEVICE.split(' ')], { stdio: 'ignore' });
  await measure('C', `/dev/ublkb${KUBLK_ID}`, (await describe(KUBLK_ID)).ublksrv_pid);
  execFileSync(kublk, ['del', '-n', String(KUBLK_ID)], { stdio: 'ignore' });
}

function measure(server: ServerName, device: string, pid: number): Promise<void> {
  return undisturbed(device, async () => {
    // Memory is taken when it is first written, and then costs more than a copy.
    const { error, stderr } = await fio(device, { rw: 'write', bs: '1m', iodepth: 128, size: AREA });
    if (error !== 0) throw new Error(`fio on ${device}: ${error} ${stderr}`);
    await warmUp(device, HANDLERS_ROWS.map(briefly));
    for (const row of HANDLERS_ROWS) {
      const before = threadTime(pid);
      const cost = await settledCost(device, jobOf(row));
      const inServer = Math.round((threadTime(pid) - before) / (RUNS * row.requests));
      const cell: HandlersCell = { server, row: row.name, cost, inServer };
      process.stdout.write(`${JSON.stringify(cell)}\n`);
    }
  });
}

function jobOf({ direction, blockSize, depth, requests }: HandlersRow): FioJob {
  return { rw: `rand${direction}`, bs: blockSize, iodepth: depth, number_ios: requests, size: AREA, io_size: '1t' };
}

function briefly(row: HandlersRow): FioJob {
  return jobOf({ ...row, requests: Math.ceil(row.requests / WARM_UP_PART) });
}

await main(process.argv.slice(2));
