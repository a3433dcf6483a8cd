/**
 * Runs inside the lab's guest: `node tools/bench/nbd/guest.ts counted|wall CLIENT...` prints a line of JSON for each figure. All
 * clients are on the same nbdkit and the same unix socket, with one connection each, and fio has the same memory for all of
 * them: a memfd of huge pages. With `--shmem_zc` it is a registered buffer of the device.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { library } from '../../../test/kernel/support/library.ts';
import { fio, type FioJob } from '../../guest/fio.ts';
import { add, describe, ublkts } from '../../guest/ublkts.ts';
import { sealedMemory } from '../../guest/sealed-memory.ts';
import { threadTime } from '../../guest/thread-time.ts';
import { settledCost, warmUp } from '../flat/guest/cost.ts';
import { undisturbed } from '../undisturbed.ts';
import { orderOf } from '../wall/rounds.ts';
import { CLIENTS, type ClientName, type Clock, NBD_ROWS, type NbdCell, type NbdRow } from './rows.ts';

const SOCKET = '/dev/shm/bench-nbd';
const URI = `nbd+unix:///?socket=${SOCKET}`;
const KERNELS = '/dev/nbd0';
/** The part of the disk that is used. */
const AREA = '16m';
/** What the largest rows have in flight, which is 4 MiB, and as much again. */
const MEMORY_BYTES = 8 << 20;
/** The target nbd reads the bytes of buffers itself. */
const MEMORY = (await sealedMemory(MEMORY_BYTES)).path;
const WARM_UP_PART = 2;
const SECONDS = 2;
const ROUNDS = 3;

interface Client {
  readonly name: ClientName;
  readonly device: string;
  /** The device of ublk and its server's process; null for the kernel's driver. */
  readonly id: number | null;
  readonly pid: number | null;
}

async function main(clock: string | undefined, names: readonly string[]): Promise<void> {
  if (clock !== 'counted' && clock !== 'wall') throw new Error(`no such clock: ${clock}`);
  const server = spawn('nbdkit', ['-f', '-U', SOCKET, 'memory', '256M'], { stdio: 'inherit' });
  while (!existsSync(SOCKET)) await sleep(50);
  const clients: Client[] = [];
  for (const name of CLIENTS.filter((known) => names.includes(known))) clients.push(await connected(name));
  for (const { device } of clients) await run(device, { rw: 'write', bs: '1m', iodepth: 4, size: AREA });
  if (clock === 'counted') await count(clients);
  else await time(clients);
  await ublkts('del -a');
  if (names.includes('kernel')) execFileSync('nbd-client', ['-d', KERNELS], { stdio: 'ignore' });
  server.kill();
}

async function connected(name: ClientName): Promise<Client> {
  const client = name === 'kernel' ? kernels() : await ours(name);
  // Each of these devices has one queue, for which the kernel would sort requests first.
  writeFileSync(`/sys/block/${client.device.slice('/dev/'.length)}/queue/scheduler`, 'none');
  return client;
}

function kernels(): Client {
  execFileSync('modprobe', ['nbd', 'nbds_max=1']);
  execFileSync('nbd-client', ['-unix', SOCKET, KERNELS, '-b', '512'], { stdio: 'ignore' });
  return { name: 'kernel', device: KERNELS, id: null, pid: null };
}

async function ours(name: Exclude<ClientName, 'kernel'>): Promise<Client> {
  const [, ...flags] = name.split(' ');
  const {
    id,
    path,
    ublksrv_pid: pid,
  } = await add(['-t', 'nbd', '-q', '1', '-d', '128', '--share', ...flags, URI].join(' '));
  if (flags.includes('--shmem_zc')) await library.registerBuffer(id, { kind: 'path', path: MEMORY });
  return { name, device: path, id, pid };
}

/** On a clock that counts instructions: what a request costs, one client after the other. */
async function count(clients: readonly Client[]): Promise<void> {
  for (const client of clients) {
    await undisturbed(client.device, async () => {
      const before = await copied(client);
      await countRows(client);
      const copies = (await copied(client)) - before;
      if (copies > 0) throw new Error(`${client.name}: ${copies} requests were copied, but all lie in a buffer`);
    });
  }
}

async function countRows({ name, device, pid }: Client): Promise<void> {
  await warmUp(device, warmUpJobs(pid));
  for (const row of NBD_ROWS) {
    const cost = await settledCost(device, jobOf(row));
    const inServer = pid === null ? null : await inThreadsOf(pid, device, row);
    print({ clock: 'counted', client: name, row: row.name, iops: 1e9 / cost, inServer });
  }
}

/** How many requests of a device with a registered buffer lay in other memory. */
async function copied({ name, id }: Client): Promise<number> {
  if (id === null || !name.endsWith('--shmem_zc')) return 0;
  return (await describe(id)).io?.copied.requests ?? 0;
}

/** The kernel's driver has no JIT that would have to see them. */
function warmUpJobs(pid: number | null): readonly FioJob[] {
  const rows = pid === null ? [] : NBD_ROWS;
  return rows.map((row) => jobOf({ ...row, requests: Math.ceil(row.requests / WARM_UP_PART) }));
}

/** Instructions of a request in the threads of a process, after the JIT has done its work. */
async function inThreadsOf(pid: number, device: string, row: NbdRow): Promise<number> {
  const before = threadTime(pid);
  await run(device, jobOf(row));
  return Math.round((threadTime(pid) - before) / row.requests);
}

/** On two CPUs: the clients take turns, so that what the host does meets them all. */
async function time(clients: readonly Client[]): Promise<void> {
  const timed: FioJob = { time_based: true, runtime: `${SECONDS * 1000}ms` };
  for (const row of NBD_ROWS) for (const { device } of clients) await run(device, { ...jobOf(row), ...timed });
  for (let round = 0; round < ROUNDS; round++) {
    for (const row of NBD_ROWS) {
      for (const { name, device } of orderOf(round, clients)) {
        const iops = await run(device, { ...jobOf(row), ...timed });
        print({ clock: 'wall', client: name, row: row.name, iops, inServer: null });
      }
    }
  }
}

function print({ iops, ...cell }: NbdCell & { readonly clock: Clock }): void {
  process.stdout.write(`${JSON.stringify({ ...cell, iops: Math.round(iops) })}\n`);
}

async function run(device: string, job: FioJob): Promise<number> {
  const { error, iops, stderr } = await fio(device, job);
  if (error !== 0) throw new Error(`fio on ${device}: ${error} ${stderr}`);
  return iops;
}

function jobOf({ direction, blockSize, depth, requests }: NbdRow): FioJob {
  return {
    rw: `rand${direction}`,
    norandommap: true,
    bs: blockSize,
    iodepth: depth,
    number_ios: requests,
    size: AREA,
    io_size: '1t',
    mem: `mmapshared:${MEMORY}`,
  };
}

await main(process.argv[2], process.argv.slice(3));
