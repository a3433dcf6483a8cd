/**
 * The monitor on real devices with real I/O: its screen, as a person sees it, and its numbers beside the kernel's and
 * fio's. The devices are slow on purpose (a delay, a rate), so that what they do is known and the guest has time.
 */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { DeviceReport } from '../../src/device/report/report.ts';
import { lockDevice } from '../../tools/guest/device-lock.ts';
import { PROGRAM, Terminal } from '../monitor/terminal.ts';
import { fio, type FioJob } from '../../tools/guest/fio.ts';
import { hugeFile, type HugeFile } from '../../tools/guest/hugetlbfs.ts';
import { add, ublkts } from '../../tools/guest/ublkts.ts';
import { blockDevice, describeDevice, leavesNothingBehind, skip } from './guest.ts';
import { onlyLong } from './support/long.ts';

/** The guest is emulated, on a machine that does other things too. */
const PATIENCE_MS = 180_000;

describe('the monitor', { skip, timeout: 1_200_000 }, () => {
  let huge: HugeFile;
  let slow: DeviceReport;
  let shared: DeviceReport;
  let terminal: Terminal;

  before(async () => {
    huge = hugeFile();
    slow = await add('-t fault_inject --delay_us 100000 -q 2 -d 32');
    shared = await add(`-t null --shmem_zc -r 1 -q 1 -d 16 --htlb ${huge.path}`);
    for (const { path } of [slow, shared]) await blockDevice(path);
    terminal = new Terminal([process.execPath, PROGRAM, 'monitor', '--interval', '0.5'], { columns: 100, rows: 30 });
    await terminal.until(/q quit/, PATIENCE_MS);
  });
  after(async () => {
    await terminal.close();
    await ublkts('del -a');
    huge.remove();
  });
  leavesNothingBehind();

  const shows = (there: RegExp | ((text: string) => boolean)) => terminal.until(there, PATIENCE_MS);

  test('shows the devices', async () => {
    const text = await shows(/ublkb1 /);
    assert.match(text, /ublkb0 +fault_inject +LIVE/);
    assert.match(text, /ublkb1 +null +LIVE/);
  });

  test("shows a depth that is fio's, and which queue it is in", async () => {
    const running = job(slow, {
      iodepth: 8,
      rw: 'randread',
      bs: '4k',
      cpus_allowed: 0,
      time_based: true,
      runtime: 600,
    });
    try {
      terminal.press('g\r');
      // The kernel's count and the server's are read one after the other: between two requests they differ by one.
      const depth = [/in flight 8\b/, /queue \d █+.* 8 of 32 .*(busiest|busy)/];
      const text = await shows((text) => depth.every((there) => there.test(text)));
      assert.match(text, /\/dev\/ublkb0 LIVE {2}fault_inject/);
      assert.match(text, /queue \d ·+ +0 of 32 .*idle/);
      assert.match(text, /copied 100%/);
      // 8 at a time, each 100 ms.
      await shows(/p50 1\d\d ms/);
      await shows(/r_await 1\d\d ms/);
    } finally {
      await running.stop();
    }
  });

  test('shows 100% matched for a client in the shared buffer', async () => {
    terminal.press('l');
    const running = job(shared, { ...RATED, mem: `mmapshared:${huge.path}`, rw: 'randrw' });
    try {
      const text = await shows(/matched 100%/);
      assert.match(text, /\/dev\/ublkb1 LIVE {2}null/);
      assert.match(text, /nothing is copied/);
      terminal.press('1');
      await shows(/ublkb1 +null +LIVE .*100%/);
      terminal.press('3');
      await shows(new RegExp(`ublkb1 +0 +4M +rw .*100% +${huge.path}`));
      await shows(/\|[·░▒▓█]*[░▒▓█][·░▒▓█]*\| +\/tmp/);
    } finally {
      await running.stop();
    }
  });

  test('shows 0% for one that is not', async () => {
    terminal.press('2');
    await shows(/\[2 Device ublkb1\]/);
    const running = job(shared, { ...RATED, rw: 'randrw' });
    try {
      await shows(/copied 100%/);
      const text = await shows(/None of the client's I\/O matches/);
      assert.match(text, /matched 0%/);
      assert.match(text, /O_DIRECT/);
    } finally {
      await running.stop();
    }
  });

  test('unregisters the buffer, and registers it again', { skip: onlyLong }, async () => {
    terminal.press('3');
    await shows(/\[3 Buffers \(1\)\]/);
    terminal.press('u');
    assert.match(await shows(/Unregister buffer 0\?/), new RegExp(huge.path));
    terminal.press('y');
    await shows(/No buffers are registered/);
    terminal.press('2b');
    await shows(/Register a buffer with ublkb1/);
    terminal.press(`${huge.path}\r`);
    await shows(/\[2 Device ublkb1\] +3 Buffers \(1\)/);
    terminal.press('4');
    const text = await shows(/buffer 0 registered/);
    assert.match(text, /buffer 0 unregistered/);
  });

  test('an action that fails says why', async () => {
    terminal.press('2b/nowhere\r');
    await shows(/cannot register \/nowhere with ublkb1/);
  });

  test('says within two seconds that a server was killed, and recovers the device', async () => {
    await shows(/\[2 Device ublkb1\]/);
    let quickest = Number.POSITIVE_INFINITY;
    // More than once, as it is about the monitor and not about what else the guest's host has to do.
    for (let tries = 0; tries < 4 && quickest >= 2; tries++) {
      await shows(/\/dev\/ublkb1 LIVE/);
      const killed = performance.now();
      process.kill(await serverOf(shared), 'SIGKILL');
      await shows(/ended without a message/);
      quickest = Math.min(quickest, (performance.now() - killed) / 1000);
      await shows(/QUIESCED/);
      await shows(/R recover/);
      terminal.press('R');
      await shows(/\/dev\/ublkb1 LIVE/);
    }
    assert.ok(quickest < 2, `${quickest} s`);
    terminal.press('4');
    assert.match(await shows(/recovered, server pid/), /server gone/);
  });

  test('deletes the device, after a question that names it', async () => {
    terminal.press('1g');
    await shows(/▸ ublkb0/);
    terminal.press('d');
    assert.match(await shows(/Delete ublkb0\?/), /fault_inject.*\n.*pid \d+/);
    terminal.press('y');
    await shows((text) => text.includes('deleted ublkb0') && !/ublkb0 +fault_inject/.test(text));
    assert.ok(!existsSync('/sys/class/ublk-char/ublkc0'));
  });

  test('leaves the terminal as it was', async () => {
    terminal.press('q');
    assert.deepEqual(await terminal.exited, { exitCode: 0, signal: 0 });
    assert.ok(!terminal.alternate);
  });
});

const RATED: FioJob = { iodepth: 4, bs: '4k', size: '64M', rate_iops: 200, time_based: true, runtime: 600 };

describe("the monitor's numbers", { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();

  test("agree with /proc/diskstats and with fio's report within 2 % over ten seconds", async () => {
    const device = await add('-t null -q 2');
    await blockDevice(device.path);
    const lock = await lockDevice(device.path);
    try {
      const monitor = new Lines(['monitor', '-n', String(device.id), '--interval', '2']);
      await monitor.next();
      const before = copiedInTotal(monitor);
      const report = await fio(device.path, {
        rw: 'randrw',
        rate_iops: '140,60',
        rwmixread: 70,
        bs: '4k',
        iodepth: 8,
        size: '64M',
        time_based: true,
        runtime: 10,
      });
      while (copiedInTotal(monitor) < before + report.requests) {
        assert.ok(await monitor.next(), 'the monitor goes on');
      }
      const intervals = (await monitor.stop())
        .map(({ devices: [seen] }) => seen?.interval)
        .filter((span) => span !== undefined);
      const sum = (of: (span: LineSpan) => number): number => intervals.reduce((total, span) => total + of(span), 0);
      // Every request of fio's ten seconds is in one interval or another, whatever the host made of the seconds.
      agree(
        'reads',
        sum((span) => span.reads),
        report.reads.requests,
      );
      agree(
        'writes',
        sum((span) => span.writes),
        report.writes.requests,
      );
      agree(
        'bytes read',
        sum((span) => span.read_bytes_per_s * span.seconds),
        report.reads.bytes,
      );
      agree(
        'copied in the server',
        sum((span) => span.ways.copied.requests),
        report.requests,
      );
      for (const span of intervals) agree('reads a second, times seconds', span.reads_per_s * span.seconds, span.reads);
      const [reads, writes] = diskstats(`ublkb${device.id}`);
      const total = (await sampleNow(device.id)).total;
      // udev looks at a disk again after someone has written to it.
      agree('reads in total', total.reads, reads);
      agree('writes in total', total.writes, writes);
      agree('requests in total', total.ways.copied.requests, reads + writes);
    } finally {
      await lock.release();
      await ublkts(`del -n ${device.id}`);
    }
  });

  test('are what metrics exposes', async () => {
    const device = await add('-t null -q 1');
    try {
      await blockDevice(device.path);
      await fio(device.path, { rw: 'read', bs: '4k', size: '400k' });
      const text = await ublkts(`metrics -n ${device.id}`);
      const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
      const name = `ublkb${device.id}`;
      const [reads] = diskstats(name);
      assert.ok(reads >= 100);
      assert.equal(value(`ublk_block_requests_total{device="${name}",op="read"}`), reads);
      assert.equal(value(`ublk_requests_total{device="${name}",queue="0",op="read"}`), reads);
      assert.equal(value(`ublk_request_duration_seconds_count{device="${name}",op="read"}`), reads);
      assert.equal(value(`ublk_device_up{device="${name}"}`), 1);
    } finally {
      await ublkts(`del -n ${device.id}`);
    }
  });
});

describe('a device that is being deleted', { skip, timeout: 120_000 }, () => {
  leavesNothingBehind();

  test('is DELETING when the kernel has stopped it already, and has not lost its server', async () => {
    const { id, ublksrv_pid: serverPid } = await add('-t null -q 1');
    try {
      await ublkts(`stop -n ${id}`);
      const stateNow = async () =>
        (JSON.parse(await ublkts(`monitor -n ${id} --once --interval 0.1`)) as { devices: { state: string }[] })
          .devices[0]?.state;
      assert.equal(await stateNow(), 'DEAD');
      // What `del` leaves before it asks the kernel, for as long as that takes.
      const mark = {
        version: 1,
        id,
        since: new Date().toISOString(),
        serverPid,
        devices: [],
        charDevice: null,
        stacked: [],
      };
      writeFileSync(`/run/ublkts/${id}.going`, JSON.stringify(mark));
      assert.equal(await stateNow(), 'DELETING');
    } finally {
      await ublkts(`del -n ${id}`);
    }
  });
});

async function serverOf({ id }: DeviceReport): Promise<number> {
  return (await describeDevice(id)).ublksrv_pid;
}

interface MonitorLine {
  readonly devices: readonly { readonly interval: LineSpan; readonly total: LineSpan }[];
}

interface LineSpan {
  readonly seconds: number;
  readonly reads: number;
  readonly writes: number;
  readonly reads_per_s: number;
  readonly writes_per_s: number;
  readonly read_bytes_per_s: number;
  readonly ways: Readonly<Record<'matched' | 'registered' | 'copied', { readonly requests: number }>>;
}

async function sampleNow(id: number): Promise<MonitorLine['devices'][number]> {
  const line = JSON.parse(await ublkts(`monitor -n ${id} --once --interval 0.1`)) as MonitorLine;
  const [device] = line.devices;
  assert.ok(device !== undefined);
  return device;
}

/** The program's output, a line of JSON at a time. */
class Lines {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #seen: MonitorLine[] = [];

  constructor(words: readonly string[]) {
    this.#child = spawn(process.execPath, [PROGRAM, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get last(): MonitorLine | undefined {
    return this.#seen.at(-1);
  }

  async next(): Promise<boolean> {
    const { value, done } = await this.#lines.next();
    if (done === true) return false;
    this.#seen.push(JSON.parse(value) as MonitorLine);
    return true;
  }

  /** Every line there was. */
  async stop(): Promise<readonly MonitorLine[]> {
    this.#child.kill('SIGTERM');
    while (await this.next());
    return this.#seen;
  }
}

function copiedInTotal({ last }: Lines): number {
  return last?.devices[0]?.total.ways.copied.requests ?? 0;
}

function agree(what: string, ours: number, theirs: number): void {
  assert.ok(Math.abs(ours - theirs) <= theirs * 0.02, `${what}: ${ours} and ${theirs}`);
}

/** Reads and writes completed. */
function diskstats(disk: string): [reads: number, writes: number] {
  const line = readFileSync('/proc/diskstats', 'latin1')
    .split('\n')
    .find((one) => one.includes(` ${disk} `));
  const fields = line?.trim().split(/\s+/).map(Number) ?? [];
  return [fields[3] ?? 0, fields[7] ?? 0];
}

/** fio beside the test, until it is stopped. */
function job({ path }: DeviceReport, options: FioJob): { stop: () => Promise<void> } {
  const words: FioJob = { name: 'job', filename: path, ioengine: 'io_uring', direct: 1, ...options };
  const args = Object.entries(words).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));
  const child = spawn('fio', args, { cwd: '/tmp', stdio: 'ignore' });
  const ended = once(child, 'close');
  return {
    stop: async () => {
      child.kill('SIGINT');
      await ended;
    },
  };
}
