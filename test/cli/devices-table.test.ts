import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { deviceCard, devicesTable, missesMatches } from '../../src/cli/output/devices.ts';
import type { DeviceReport } from '../../src/device/report/report.ts';
import { displayWidth } from '../../src/text/width.ts';
import { report } from './report.ts';

// What is cut is marked with a character outside of ASCII.
process.env['LC_ALL'] = 'C.UTF-8';

const IO = { registered: { requests: 0, bytes: 0 }, errors: 0, stuck: null };

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
  assert.match(
    lines(devicesTable([dead])),
    /device 0: its server is gone; its I\/O waits, and `ublkts recover -n 0` lets it go on\n$/,
  );
});

test('what to do with a device that was stopped or quiesced is said below', () => {
  const waiting = lines(devicesTable([report({ state: 'QUIESCED', ublksrv_pid: -1 })]));
  assert.match(waiting, /\ndevice 0: its I\/O waits, and `ublkts recover -n 0` lets it go on\n$/);
  const stopped = lines(devicesTable([report({ state: 'DEAD', ublksrv_pid: -1 })]));
  assert.match(stopped, /\ndevice 0: `ublkts del -n 0` removes it\n$/);
  assert.doesNotMatch(lines(devicesTable([report({ server_state: 'running' })])), /device 0:/);
});

test('why requests do not match is said below the table', () => {
  const verdicts = new Map([[0, '88% of the requests match; the rest is copied.']]);
  assert.match(lines(devicesTable([sharing(8, 1)], verdicts)), /\ndevice 0: 88% of the requests match; .*\n$/);
  assert.doesNotMatch(lines(devicesTable([sharing(8, 1)])), /device 0:/);
});

test('a verdict is wanted of a device that shares memory and has copied something', () => {
  assert.ok(missesMatches(sharing(0, 900)) && missesMatches(sharing(900, 101)));
  assert.ok(!missesMatches(sharing(900, 0)) && !missesMatches(sharing(0, 0)), 'nothing was copied');
  assert.ok(!missesMatches(sharing(0, 100)), 'the scan for partitions is no client');
  assert.ok(!missesMatches({ ...sharing(0, 900), flag_names: [] }) && !missesMatches({ ...sharing(0, 900), io: null }));
});

test('no devices are a sentence', () => assert.match(lines(devicesTable([])), /^no ublk devices; ublkts add/));

test('a new device is shown with the next command', () => {
  assert.match(lines(deviceCard(report())), /^\/dev\/ublkb0 is LIVE: null, 250G, .*\n {2}next: ublkts monitor -n 0/);
  const waiting = report({ flag_names: ['UBLK_F_SHMEM_ZC'] });
  assert.match(lines(deviceCard(waiting)), /next: ublkts reg-buf -n 0 PATH/);
});

test('a narrow terminal keeps the type of the target and the end of the path', () => {
  const device = report({ target: { type: 'loop', files: ['/srv/images/debian/disk.img'], options: {} } });
  assert.equal(targetsAt(110, device), 'loop /srv/images/debian/disk.img');
  assert.equal(targetsAt(95, device), 'loop …ges/debian/disk.img');
  assert.equal(targetsAt(20, device), 'loop …isk.img');
});

test('a locale without UTF-8 gets ASCII', (t) => {
  t.after(() => (process.env['LC_ALL'] = 'C.UTF-8'));
  const device = report({ target: { type: 'loop', files: ['/srv/images/debian/disk.img'], options: {} } });
  assert.match(lines(deviceCard(device)), / 2 × 128 requests/);
  process.env['LC_ALL'] = 'C';
  assert.equal(targetsAt(20, device), 'loop ~isk.img');
  assert.match(lines(deviceCard(device)), / 2 x 128 requests/);
});

test('a terminal that is too narrow for all columns loses QUEUES and DEPTH', () => {
  const device = report({ target: { type: 'loop', files: ['/srv/images/debian/disk.img'], options: {} } });
  const [heading = ''] = tableAt(72, device);
  assert.equal(heading.replaceAll(/ +/g, ' '), 'ID DEVICE TARGET STATE SIZE PID DATA PATH MATCHED');
  assert.ok(tableAt(72, device).every((line) => displayWidth(line) <= 72));
});

test('columns line up behind names in CJK, emoji and combining characters', () => {
  const devices = ['/磁盘.img', '/💾👨‍👩‍👧.img', '/e\u0301.img', '/plain.img'].map((file) =>
    report({ target: { type: 'loop', files: [file], options: {} } }),
  );
  const [, ...rows] = lines(devicesTable(devices)).trimEnd().split('\n');
  const places = rows.map((row) => displayWidth(row.slice(0, row.indexOf('LIVE'))));
  assert.equal(new Set(places).size, 1);
});

test('a name that holds control characters is shown, and does nothing', () => {
  const evil = report({
    target: { type: 'loop', files: ['/a\u001b[2J\n 9  /dev/ublkb9.img'], options: {} },
    last_error: 'gone\u001b[31m',
  });
  const text = lines(devicesTable([evil]));
  assert.equal(text.split('\n').length, 4);
  assert.match(text, /loop \/a\\x1b\[2J\\n 9/);
  assert.match(text, /gone\\x1b\[31m; `ublkts/);
  assert.match(lines(deviceCard(evil)), /loop \/a\\x1b\[2J\\n 9/);
});

function tableAt(columns: number, device: DeviceReport): string[] {
  return lines(devicesTable([device], new Map(), columns)).split('\n');
}

function targetsAt(columns: number, device: DeviceReport): string {
  const [, row = ''] = tableAt(columns, device);
  return /ublkb0 {2}(.*?) +LIVE/.exec(row)?.[1] ?? '';
}

function sharing(matched: number, copied: number) {
  return report({
    flag_names: ['UBLK_F_SHMEM_ZC'],
    io: { ...IO, matched: { requests: matched, bytes: 0 }, copied: { requests: copied, bytes: 0 } },
  });
}

function lines(text: string): string {
  return stripVTControlCharacters(text);
}

test('the resident server of a device is named where there is one', () => {
  assert.doesNotMatch(lines(devicesTable([report()])), /SERVER/);
  const table = lines(devicesTable([report(), report({ id: 1, server: 'fast' })])).split('\n');
  assert.match(table[0] ?? '', /SERVER$/);
  assert.match(table[1] ?? '', / -$/);
  assert.match(table[2] ?? '', / fast$/);
  assert.match(lines(deviceCard(report({ server: 'fast' }))), /server fast \(pid 215\)/);
});
