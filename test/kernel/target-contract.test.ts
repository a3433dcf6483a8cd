/** What docs/writing-a-target.md promises where a target breaks its rules. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { blockDevice, describeDevice, leavesNothingBehind, run, sh, skip, verify, withDevice } from './guest.ts';
import { bufferOf } from './support/devices.ts';
import { library } from './support/library.ts';

const DIRECTORY = '/tmp/target-contract';
const TARGET = `${DIRECTORY}/breaks-rules.ts`;
const MiB = 1 << 20;

describe('targets that break rules', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(
    `mkdir -p ${DIRECTORY} && cp test/fixtures/breaks-rules.ts examples/ram.ts ${DIRECTORY}/ && chmod 644 ${DIRECTORY}/*`,
  );

  test('a handler that answers with a number fails that request, is told of once, and the next one is good', async () => {
    await withDevice({ target: TARGET }, async ({ id, path }) => {
      for (const at of [1, 2, 1, 2]) assert.match(readAt(path, at * 256), /Input\/output error/);
      assert.equal(readAt(path, 0), '');
      assert.ok(((await describeDevice(id)).io?.errors ?? 0) >= 4);
      assert.equal(log(id).match(/ read: it returned a number: a handler returns nothing/g)?.length, 1);
      assert.equal(log(id).match(/ read: its promise was fulfilled with a number: a handler/g)?.length, 1);
    });
  });

  test('a handler that writes into its buffer does not end the server, where that is read-only memory of a client', async () => {
    const device = { target: TARGET, targetOptions: { scribble: 'yes' }, features: ['SHMEM_ZC'] as const };
    await withDevice(device, async ({ id, path }) => {
      const buffer = await library.registerBuffer(id, { kind: 'memfd', bytes: MiB, seal: true, readOnly: true });
      const fio = `fio --name=w --filename=${path} --direct=1 --ioengine=libaio --bs=4k --size=512k --mem=mmapshared:${buffer.path}`;
      sh(`${fio} --rw=write --verify=crc32c --do_verify=0 --verify_state_save=0 --verify_header_seed=0`);
      assert.equal((await bufferOf(id, buffer.index)).matched.requests, 128);
      sh(
        `fio --name=w --filename=${path} --direct=1 --bs=4k --size=512k --rw=read --verify=crc32c --verify_fatal=1 --verify_header_seed=0`,
      );
    });
  });

  test('a server ends without a complaint of Node, and the killer of the kernel comes to it late', async () => {
    const { id, path, ublksrv_pid } = await library.addDevice({
      target: `${DIRECTORY}/ram.ts`,
      targetOptions: { size: '64M' },
    });
    await blockDevice(path);
    verify(path, '--size=4M');
    assert.equal(readFileSync(`/proc/${ublksrv_pid}/oom_score_adj`, 'utf8').trim(), '-500');
    sh(`ublkts stop -n ${id}`);
    for (let tries = 0; run(`test -d /proc/${ublksrv_pid}/fd`).status === 0 && tries < 100; tries++) await sleep(50);
    assert.match(log(id), new RegExp(`the server of device ${id} .* ends`));
    assert.doesNotMatch(log(id), /FATAL|native stack/i);
    await library.deleteDevice(id);
  });
});

/** What dd says when it cannot read a block of 4096 bytes; nothing when it can. */
function readAt(path: string, block: number): string {
  return run(`dd if=${path} of=/dev/null bs=4k skip=${block} count=1 iflag=direct status=none`).stderr;
}

function log(id: number): string {
  return readFileSync(`/run/ublkts/${id}.log`, 'utf8');
}
