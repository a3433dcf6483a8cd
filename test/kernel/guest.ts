/** What the tests share that run on a real ublk driver, in the lab: shell, devices, the look at the end. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before } from 'node:test';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';
import type { DeviceReport } from '../../src/device/report/report.ts';
import { KernelLog } from '../../tools/guest/kernel-log.ts';
import { leftovers } from '../../tools/guest/leftovers.ts';
import { tidied } from '../../tools/guest/tidied.ts';
import { MOST_OUTPUT } from '../../tools/guest/ublkts.ts';
import { library } from './support/library.ts';

// It is that of the test files (tools/test/kernel-tests.ts). What they start finds its own, as it would without them.
delete process.env['NODE_COMPILE_CACHE'];

/** Why nothing here can run; false where it can. */
export const skip = existsSync('/dev/ublk-control') ? false : 'no /dev/ublk-control: run it with `ublkts lab run`';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script, whatever comes of it. */
export function run(script: string): Outcome {
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT,
  });
  return { status, stdout, stderr };
}

/** Runs a script that must succeed; its output without the last newline. */
export function sh(script: string): string {
  const { status, stdout, stderr } = run(script);
  assert.equal(status, 0, `${script}\n${stdout}${stderr}`);
  return stdout.trimEnd();
}

/** Runs a script that must fail and say so. */
export function shFails(script: string, message: RegExp): void {
  const { status, stderr } = run(script);
  assert.notEqual(status, 0, `${script} should have failed`);
  assert.match(stderr, message);
}

/** Runs `use` on a new device, which is gone when it returns. */
export async function withDevice(
  options: Partial<AddOptions> & { target: string },
  use: (device: DeviceReport) => Promise<void> | void,
): Promise<void> {
  const device = await library.addDevice({ ...ADD_DEFAULTS, ...options });
  await tidied(
    async () => {
      await blockDevice(device.path);
      await use(device);
      assert.ok(existsSync(`/proc/${device.ublksrv_pid}`), 'the server lives');
    },
    () => library.deleteDevice(device.id),
  );
}

/** One device for the tests around it; `options` is asked for when they begin. */
export function sharedDevice(options: () => Partial<AddOptions> & { target: string }): () => DeviceReport {
  let device: DeviceReport | undefined;
  before(async () => {
    device = await library.addDevice({ ...ADD_DEFAULTS, ...options() });
    await blockDevice(device.path);
  });
  after(async () => {
    if (device === undefined) return;
    const lives = existsSync(`/proc/${device.ublksrv_pid}`);
    await library.deleteDevice(device.id);
    assert.ok(lives, 'the server lives');
  });
  return () => {
    assert.ok(device);
    return device;
  };
}

export async function describeDevice(id: number): Promise<DeviceReport> {
  return library.describeDevice(id);
}

/** udev may still be making the node; a program that is too early makes a regular file of that name. */
export async function blockDevice(path: string): Promise<void> {
  for (let tries = 0; run(`test -b ${path}`).status !== 0; tries++) {
    assert.ok(tries < 100, `${path} is a block device`);
    await sleep(50);
  }
}

/** fio with data checked by checksum; mixed sizes from one sector to 1 MiB. */
export function verify(path: string, more = ''): void {
  const workload = '--rw=randwrite --bsrange=512-1M --blockalign=512 --size=12M --iodepth=16';
  const check = '--verify=crc32c --do_verify=1 --verify_state_save=0 --verify_fatal=1';
  sh(`test -b ${path} && fio --name=v --filename=${path} --direct=1 --ioengine=libaio ${workload} ${check} ${more}`);
}

/** In every file: the kernel has not complained, and no device, server or file is left. */
export function leavesNothingBehind(): void {
  let log: KernelLog;
  before(() => {
    log = new KernelLog();
  });
  after(async () => {
    assert.deepEqual(log.complaints(), []);
    assert.deepEqual(await leftovers(), []);
  });
}
