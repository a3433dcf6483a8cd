/**
 * The monitor, as it was built, over samples that are made up: `node play.ts [DEVICES] [QUEUES] [MODE]`. For the tests of
 * the screen where there is no ublk driver, and to see what the monitor itself costs. MODE: `fail` and `throw` end it with
 * an error; `names` gives its files and buffers names that no table likes; `slow` makes an action take two seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Perform } from '../../src/monitor/actions.ts';
import type { Sample, SampleSource } from '../../src/watch/sampling/sample.ts';
import {
  blockCounters,
  deviceSample,
  foreignSample,
  ownRecord,
  queueStats,
  statsPage,
  storedBuffer,
} from '../watch/samples.ts';

const { runMonitor } = (await import(
  new URL('../../dist/monitor/run.js', import.meta.url).href
)) as typeof import('../../src/monitor/run.ts');

const [devices = 3, queues = 4] = process.argv.slice(2, 4).map(Number);
const mode = process.argv[4];
/** CJK, an emoji, a combining character, an escape sequence, a line break. */
const AWKWARD = '/磁盘/😀e\u0301\u001b[2J\n映像.img';

const startedAtMs = Date.now() - 3_600_000;
const began = performance.now();

class Play implements SampleSource {
  #taken = 0;

  async take(): Promise<Sample> {
    this.#taken++;
    if (mode === 'fail' && this.#taken === 3) throw new Error('the source has run dry');
    if (mode === 'throw' && this.#taken === 2) setTimeout(() => Promise.reject(new Error('nobody caught this')));
    const atMs = performance.now();
    const seconds = (atMs - began) / 1000;
    const all = Array.from({ length: devices }, (_none, id) => ({ ...playDevice(id, seconds), atMs }));
    return { atMs, wallMs: Date.now(), devices: all, notice: null };
  }

  close(): void {
    this.#taken = 0;
  }
}

/** Device 0 matches, the second is zero copy, the third copies, the last is another program's. */
function playDevice(id: number, seconds: number) {
  const perSecond = [12_000, 900, 300][id % 3] ?? 0;
  const done = Math.round(perSecond * seconds);
  const way = (['matched', 'registered', 'copied'] as const)[id % 3] ?? 'copied';
  const block = blockCounters({
    reads: done,
    readBytes: done * 4096,
    readMs: done * 0.11,
    inFlight: 16,
    busyMs: seconds * 900,
    queueMs: seconds * 16_000,
  });
  const kernel = { queues, depth: 64, sharedMemory: way === 'matched' };
  const common = { id, kernel, block, sizeBytes: 250 * 2 ** 30, diskSequence: id + 1, serverPid: process.pid };
  if (id === devices - 1 && id > 0) return foreignSample(common);
  const stats = statsPage({
    deviceId: id,
    startedAtMs,
    queueDepth: 64,
    // Queue 1 is the busy one.
    queues: Array.from({ length: queues }, (_none, queue) => {
      const share = queue === 1 ? 0.7 : 0.3 / Math.max(1, queues - 1);
      const requests = Math.round(done * share);
      return queueStats(queue, {
        inFlight: queue === 1 ? 12 : 0,
        batches: requests,
        depthSum: requests * (queue === 1 ? 12 : 1),
        ways: { [way]: requests },
        buckets: { 4: requests >> 1, 5: requests >> 2, 9: requests >> 6 },
      });
    }),
    buffers: new Map(way === 'matched' ? [[0, { requests: done, bytes: done * 4096, heat: heatOf(done) }]] : []),
  });
  const own = ownRecord({
    target: way === 'registered' ? 'loop' : 'null',
    files: way === 'registered' ? [mode === 'names' ? AWKWARD : '/images/disk.img'] : [],
    dataPath: way === 'registered' ? 'auto_zc' : 'copy',
    registers: way === 'registered',
    queues,
    depth: 64,
    buffers: way === 'matched' ? [storedBuffer(0, mode === 'names' ? AWKWARD : undefined)] : [],
  });
  return deviceSample({ ...common, stats, own });
}

function heatOf(done: number): number[] {
  return Array.from({ length: 32 }, (_none, part) => (part < 8 ? done * (8 - part) : 0));
}

const perform: Perform = async (_action, onWaiting, signal) => {
  onWaiting('waiting for its server (pid 12) to leave');
  await sleep(2000, undefined, { signal });
};

const before = process.cpuUsage();
await runMonitor({ intervalMs: 1000, readOnly: false, source: new Play(), ...(mode === 'slow' ? { perform } : {}) });
const { user, system } = process.cpuUsage(before);
const seconds = (performance.now() - began) / 1000;
process.stdout.write(`${((user + system) / 1e4 / seconds).toFixed(1)}% of a core over ${seconds.toFixed(1)} s\n`);
