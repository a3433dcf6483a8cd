/**
 * Runs inside a guest: `node tools/bench/many/guest-churn.ts CYCLES ALIVE`. What the server holds while devices come and go
 * beside others that are under verifying fio.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { inParallel } from '../../../src/device/in-parallel.ts';
import type { AddRequest } from '../../../src/spec/options.ts';
import { fioUntilStopped } from '../../../test/kernel/support/background.ts';
import { requireBlockDevice } from '../../guest/fio.ts';
import { leftovers } from '../../guest/leftovers.ts';
import { library } from '../../guest/library.ts';
import { stopUdev } from '../../guest/udev.ts';
import { held } from './held.ts';
import { report } from './rows.ts';

const [cycles = 1000, alive = 50] = process.argv.slice(2).map(Number);
const FOLDER = '/tmp/many';
const STEPS = 10;
/** Of each of them; together they leave the emulated CPUs time for the rest. */
const RATE = '--rate_iops=20 --size=1M';

type Request = Omit<AddRequest, 'server'>;

const churned: Request = { target: 'null', queues: 1, depth: 32, quiet: true };

function loop(index: number): Request {
  const file = `${FOLDER}/${index}.img`;
  execFileSync('truncate', ['-s', '16M', file]);
  return { target: 'loop', files: [file], queues: 1, depth: 32, quiet: true };
}

function readFrom(path: string): void {
  requireBlockDevice(path);
  const fd = openSync(path, 'r');
  readSync(fd, Buffer.alloc(4096), 0, 4096, 1 << 20);
  closeSync(fd);
}

execFileSync('mkdir', ['-p', FOLDER]);
stopUdev();
const server = await library.openServer({ name: 'many', threads: 2 });
const kept = [];
for (let index = 0; index < alive; index++) kept.push(await server.add(loop(index)));
for (const { path } of kept) requireBlockDevice(path);
const writers = kept.map(({ path }) => fioUntilStopped(path, RATE));
await churn(20);
for (let step = 0; step <= STEPS; step++) {
  const begin = performance.now();
  if (step > 0) await churn(cycles / STEPS);
  const seconds = (performance.now() - begin) / 1000;
  const { privateKb, descriptors, mappings } = held(server.pid);
  report('churn', {
    cycles: (cycles / STEPS) * step,
    'private MB': Math.round(privateKb / 102.4) / 10,
    descriptors,
    mappings,
    'files in /run/ublkts': readdirSync('/run/ublkts').length,
    devices: server.devices.length,
    seconds: Math.round(seconds),
  });
}
for (const { stop } of writers) await stop();
const { failed } = await library.deleteAllDevices();
await server.end();
const left = [...failed.map(({ message }) => message), ...(await leftovers())];
if (left.length > 0) throw new Error(`left: ${left.join(', ')}`);

async function churn(count: number): Promise<void> {
  await inParallel(Array.from({ length: count }), 2, async () => {
    const { id, path } = await server.add(churned);
    readFrom(path);
    await server.delete(id);
  });
}
