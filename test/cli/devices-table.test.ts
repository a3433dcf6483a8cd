import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { deviceCard, devicesTable } from '../../src/cli/output/devices.ts';
import { report } from './report.ts';

const IO = { registered: { requests: 0, bytes: 0 }, errors: 0 };

test('columns stand under their headings, numbers to the right', () => {
  const matched = report({
    id: 12,
    target: { type: 'loop', files: ['/img'], options: {} },
    flag_names: ['UBLK_F_SHMEM_ZC'],
    io: { ...IO, matched: { requests: 3, bytes: 0 }, copied: { requests: 1, bytes: 0 } },
  });
  assert.equal(
    lines(devicesTable([report(), matched])),
    [
      'ID  DEVICE        TARGET     STATE  SIZE  QUEUES  DEPTH  PID  DATA PATH  MATCHED',
      ' 0  /dev/ublkb0   null       LIVE   250G       2    128  215  copy             -',
      '12  /dev/ublkb12  loop /img  LIVE   250G       2    128  215  copy           75%',
      '',
    ].join('\n'),
  );
});

test("another program's device shows what the kernel knows", () => {
  const foreign = report({ target: null, data_path: null, buffers: null, io: null });
  assert.match(lines(devicesTable([foreign])), /^ 0 {2}\/dev\/ublkb0 {2}- +LIVE .* - +-$/m);
});

test('why a server is gone is said below, with what to do', () => {
  const dead = report({ state: 'QUIESCED', ublksrv_pid: -1, last_error: 'its server is gone' });
  assert.match(lines(devicesTable([dead])), /device 0: its server is gone; ublkts recover -n 0\n$/);
});

test('a device whose buffers match nothing is named, with where the reason is found', () => {
  assert.match(
    lines(devicesTable([sharing(0, 9)])),
    /device 0: none of its requests .* ublkts monitor -n 0 says why\n$/,
  );
  assert.doesNotMatch(lines(devicesTable([sharing(1, 9), sharing(0, 0)])), /says why/);
});

test('no devices are a sentence', () => assert.match(lines(devicesTable([])), /^no ublk devices; ublkts add/));

test('a new device is shown with the next command', () => {
  assert.match(lines(deviceCard(report())), /^\/dev\/ublkb0 is LIVE: null, 250G, .*\n {2}next: ublkts monitor -n 0/);
  const waiting = report({ flag_names: ['UBLK_F_SHMEM_ZC'] });
  assert.match(lines(deviceCard(waiting)), /next: ublkts reg-buf -n 0 PATH/);
});

function sharing(matched: number, copied: number) {
  return report({
    flag_names: ['UBLK_F_SHMEM_ZC'],
    io: { ...IO, matched: { requests: matched, bytes: 0 }, copied: { requests: copied, bytes: 0 } },
  });
}

function lines(text: string): string {
  return stripVTControlCharacters(text);
}
