/**
 * Runs inside a guest: `node tools/bench/many/guest-density.ts TARGET COUNT ublkts|kublk|both [curve]`. Many devices on one
 * server with shared threads: memory, reads, `list`, `metrics`, the monitor, `del -a`, and what is left. The same number
 * from kublk. udev is stopped: it would work for longer on a thousand devices than everything else together.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel } from '../../../src/device/in-parallel.ts';
import type { OpenServer } from '../../../src/device/servers/open-server.ts';
import type { AddRequest } from '../../../src/spec/options.ts';
import { PROGRAM, Terminal } from '../../../test/monitor/terminal.ts';
import { type FioJob, requireBlockDevice } from '../../guest/fio.ts';
import { deviceIds, leftovers } from '../../guest/leftovers.ts';
import { library } from '../../guest/library.ts';
import { ublkts } from '../../guest/ublkts.ts';
import { stopUdev } from '../../guest/udev.ts';
import { cost, settledCost, warmUp } from '../flat/guest/cost.ts';
import { undisturbed } from '../undisturbed.ts';
import { held, type Holding } from './held.ts';
import { report } from './rows.ts';

const [target = 'null', words = '1000', who = 'both', ...flags] = process.argv.slice(2);
/** Also what a request to the first device costs, in a guest whose clock counts instructions. */
const curve = flags.includes('curve');
const THREADS = curve ? 1 : 2;
const GOALS = [1, 10, 100, 200, 500, 1000];
const MEASURED = [1, 10, 100, 200, 1000];
const REQUESTS = 24_000;
const COUNT = Number(words);
const FOLDER = '/tmp/many';
const KUBLK = '/opt/kublk/kublk';
const AT_ONCE = 4;
const SETTLED_MS = 15_000;
const PATIENCE_MS = 300_000;

function fileOf(index: number): string[] {
  return target === 'null' ? [] : [`${FOLDER}/${index}.img`];
}

function makeFiles(): void {
  execFileSync('mkdir', ['-p', FOLDER]);
  if (target === 'null') return;
  execFileSync('bash', ['-c', `for i in $(seq 0 ${COUNT}); do truncate -s 16M ${FOLDER}/$i.img; done`]);
}

/** From behind what udev has read, so that the data comes from the device. */
function readFrom(path: string): void {
  requireBlockDevice(path);
  const fd = openSync(path, 'r');
  try {
    if (readSync(fd, Buffer.alloc(4096), 0, 4096, 5 << 20) !== 4096) throw new Error(`${path}: a short read`);
  } finally {
    closeSync(fd);
  }
}

async function seconds(act: () => unknown): Promise<number> {
  const begin = performance.now();
  await act();
  return round((performance.now() - begin) / 1000);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function request(index: number): Omit<AddRequest, 'server'> {
  return { target, files: fileOf(index), queues: 1, depth: 32, quiet: true };
}

async function ours(): Promise<void> {
  const server = await library.openServer({ name: 'many', threads: THREADS });
  await startThreads(server);
  const before = held(server.pid);
  await timeCommands(await addAll(server, before));
  await sleep(2000);
  const after = held(server.pid);
  report('commands', {
    target,
    command: 'what the server holds afterwards',
    seen: `${round(after.privateKb / 1024)} MB (${round(before.privateKb / 1024)} before), ${after.descriptors} descriptors (${before.descriptors}), ${after.mappings} mappings (${before.mappings})`,
  });
  await server.end();
  report('commands', { target, command: 'left', seen: (await leftovers()).join(', ') || 'nothing' });
}

/** Both threads are started then, and have served. */
async function startThreads(server: OpenServer): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const two = [await server.add(request(0)), await server.add(request(1))];
    for (const { path } of two) readFrom(path);
    for (const { id } of two) await server.delete(id);
  }
}

/** Adds devices, and reports what the server holds at each of the goals. `before`: what it held without any. Returns their paths. */
async function addAll(server: OpenServer, before: Holding): Promise<string[]> {
  const paths: string[] = [];
  let at = before;
  for (const goal of GOALS.filter((goal) => goal <= COUNT)) {
    const first = paths.length;
    const total = await seconds(() =>
      inParallel(
        Array.from({ length: goal - first }, (_, more) => first + more),
        AT_ONCE,
        async (index) => {
          const { path } = await server.add(request(index));
          paths.push(path);
          readFrom(path);
        },
      ),
    );
    const now = held(server.pid);
    report('memory', {
      target,
      server: 'ublkts',
      devices: goal,
      'KB each': Math.round((now.privateKb - before.privateKb) / goal),
      'KB each since the row before': Math.round((now.privateKb - at.privateKb) / (goal - first)),
      'MB in all': round(now.privateKb / 1024),
      descriptors: now.descriptors,
      mappings: now.mappings,
      'ms of an add': round((1000 * total) / (goal - first)),
    });
    at = now;
    if (curve && MEASURED.includes(goal)) await costOf(paths[0]!, goal);
  }
  return paths;
}

/** The last command deletes all devices. */
async function timeCommands(paths: readonly string[]): Promise<void> {
  await command(
    'a read from each',
    () => paths.forEach(readFrom),
    () => `${new Set(paths).size} devices`,
  );
  let text = '';
  const print = async (line: string): Promise<void> => void (text = await ublkts(line));
  await command(
    '`list --json`',
    () => print('list --json'),
    () => {
      const { devices } = JSON.parse(text) as { devices: { state: string; server: string }[] };
      return `${devices.filter(({ state, server: name }) => state === 'LIVE' && name === 'many').length} live devices`;
    },
  );
  await command(
    '`list`',
    () => print('list'),
    () => `${text.match(/^dev id/gm)?.length ?? 0} devices`,
  );
  await command(
    '`metrics`',
    () => print('metrics'),
    () => {
      return `${text.match(/^ublk_device_info\{[^}]*server="many"/gm)?.length ?? 0} devices, ${text.length} bytes`;
    },
  );
  await monitor();
  await command(
    '`del -a`',
    () => print('del -a'),
    () => `${deviceIds().length} devices left`,
  );
}

async function command(name: string, act: () => unknown, seen: () => string): Promise<void> {
  const took = await seconds(act);
  report('commands', { target, command: name, seconds: took, seen: seen() });
}

/**
 * The same at each count of devices. V8 compiles the hot path anew when a device has come, and in this guest that is counted
 * too: the first run shows it, and the rest is measured behind a warm-up.
 */
async function costOf(path: string, devices: number): Promise<void> {
  const job: FioJob = { rw: 'randread', number_ios: REQUESTS };
  // The devices that have just come give their buffers back, which is no cost of a request.
  await sleep(SETTLED_MS);
  await undisturbed(path, async () => {
    const first = await cost(path, job);
    await warmUp(path, [{ number_ios: REQUESTS }]);
    report('cost', {
      devices,
      'instructions per request': await settledCost(path, job),
      'in the first run after the adds': first,
    });
  });
}

async function monitor(): Promise<void> {
  const begin = performance.now();
  const terminal = new Terminal([process.execPath, PROGRAM, 'monitor', '--interval', '1'], { columns: 120, rows: 40 });
  const last = Math.max(...deviceIds());
  const since = (): number => round((performance.now() - begin) / 1000);
  await terminal.until(/ublkb0 /, PATIENCE_MS);
  const first = since();
  const filter = await seconds(async () => {
    terminal.press(`/ublkb${last}\r`);
    await terminal.until((shown) => shown.includes(`ublkb${last} `) && !/ublkb0 /.test(shown), PATIENCE_MS);
  });
  const open = await seconds(async () => {
    terminal.press('\r');
    await terminal.until(new RegExp(`/dev/ublkb${last} LIVE`), PATIENCE_MS);
  });
  const quit = await seconds(async () => {
    terminal.press('q');
    await terminal.exited;
  });
  await terminal.close();
  for (const [name, took] of Object.entries({
    'to its first frame': first,
    'to filter': filter,
    'to open': open,
    'to quit': quit,
  })) {
    report('commands', { target, command: `\`monitor\` ${name}`, seconds: took, seen: '' });
  }
}

async function kublks(): Promise<void> {
  const pids: number[] = [];
  const total = await seconds(() => {
    for (let index = 0; index < COUNT; index++) {
      execFileSync(KUBLK, ['add', '-t', target, '-n', String(index), '-q', '1', '-d', '32', ...fileOf(index)], {
        stdio: 'ignore',
      });
      readFrom(`/dev/ublkb${index}`);
    }
  });
  const names = execFileSync('pgrep', ['-x', 'kublk'], { encoding: 'utf8' });
  pids.push(...names.trim().split('\n').map(Number));
  const kb = pids.reduce((sum, pid) => sum + held(pid).privateKb, 0);
  report('memory', {
    target,
    server: 'kublk',
    devices: COUNT,
    'KB each': Math.round(kb / COUNT),
    'ms of an add': round((1000 * total) / COUNT),
  });
  let text = '';
  await command(
    '`kublk list`',
    () => void (text = execFileSync(KUBLK, ['list'], { encoding: 'utf8', maxBuffer: 64 << 20 })),
    () => `${text.match(/^dev id/gm)?.length ?? 0} devices`,
  );
  await command(
    '`kublk del -a`',
    () => execFileSync(KUBLK, ['del', '-a'], { stdio: 'ignore' }),
    () => `${deviceIds().length} devices left`,
  );
}

makeFiles();
stopUdev();
if (who !== 'kublk') await ours();
if (who !== 'ublkts') await kublks();
