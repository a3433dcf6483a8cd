/**
 * Runs inside the lab's guest and prints lines of JSON. `node tools/bench/wake-ups/guest.ts idle`, where the clock counts
 * instructions, measures what it costs that requests wait. `... guest.ts promises [MIB...]`, on two CPUs with the ordinary clock,
 * has requests answered by promises of all origins, or of those at these places: one whose wake-up was lost would keep fio for
 * ever.
 */
import { execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fio } from '../../guest/fio.ts';
import { library } from '../../guest/library.ts';
import { threadTime } from '../../guest/thread-time.ts';
import { add, ublkts } from '../../guest/ublkts.ts';
import { median } from '../median.ts';
import { type Idle, ORIGINS, type WakeUps } from './figures.ts';
import { FIRST_WAITING, WAITING } from './waiting.ts';

const REQUESTS = 100_000;
const DEPTHS = [1, 32];
/** A target's file that others than root may write is not run, and the folder of the project is the host's. */
const DIRECTORY = '/tmp/bench-wake-ups';
const SETTLE_MS = 3000;
/** An odd number. V8 collects garbage a few times when there is nothing else to do, and waiting requests are looked at every 5 s. */
const IDLE_SECONDS = 45;

async function promises(origins: readonly (typeof ORIGINS)[number][]): Promise<void> {
  const device = await add(`-t ${DIRECTORY}/handlers.ts -q 1 -d 128`);
  for (const { name, at } of origins) {
    for (const depth of DEPTHS) {
      const before = performance.now();
      const { error, requests, stderr } = await fio(device.path, {
        rw: 'randrw',
        norandommap: true,
        bs: '4k',
        iodepth: depth,
        offset: `${at}m`,
        size: '1m',
        io_size: '1t',
        number_ios: REQUESTS / DEPTHS.length,
      });
      const seconds = (performance.now() - before) / 1000;
      if (error !== 0 || requests < REQUESTS / DEPTHS.length) throw new Error(`fio: ${error}, ${requests} ${stderr}`);
      const line: WakeUps = { origin: name, depth, requests, seconds };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    }
  }
  await ublkts(`del -n ${device.id}`);
}

async function allWait(): Promise<void> {
  execFileSync('mkfifo', [`${DIRECTORY}/fifo`]);
  const { id, path, ublksrv_pid } = await add(`-t ${DIRECTORY}/waiting.ts -o fifo=${DIRECTORY}/fifo -q 1 -d 128`);
  execFileSync('udevadm', ['settle']);
  for (let block = FIRST_WAITING; block < FIRST_WAITING + WAITING; block++) {
    spawn('dd', [`if=${path}`, 'of=/dev/null', 'bs=4k', `skip=${block}`, 'count=1', 'iflag=direct'], {
      stdio: 'ignore',
    });
  }
  await sleep(SETTLE_MS);
  const seconds: number[] = [];
  for (let before = threadTime(ublksrv_pid); seconds.length < IDLE_SECONDS; ) {
    await sleep(1000);
    const now = threadTime(ublksrv_pid);
    seconds.push((now - before) / 1e6);
    before = now;
  }
  const line: Idle = {
    waiting: WAITING,
    idleMs: median(seconds),
    meanMs: seconds.reduce((sum, ms) => sum + ms, 0) / seconds.length,
    mostMs: Math.max(...seconds),
    seconds: IDLE_SECONDS,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  // The driver waits for the requests as long as there is a server that could answer them.
  process.kill(ublksrv_pid, 'SIGKILL');
  await library.deleteDevice(id);
}

execFileSync('mkdir', ['-p', DIRECTORY]);
execFileSync('cp', ['test/fixtures/handlers.ts', 'tools/bench/wake-ups/waiting.ts', DIRECTORY]);
execFileSync('chmod', ['-R', 'go-w', DIRECTORY]);
const [what, ...places] = process.argv.slice(2);
if (what === 'idle') await allWait();
else await promises(ORIGINS.filter(({ at }) => places.length === 0 || places.includes(String(at))));
