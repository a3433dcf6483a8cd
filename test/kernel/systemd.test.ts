/** The units of examples/systemd under a real systemd: start, a server that is killed, a device in use, the end of the machine. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { blockDevice, leavesNothingBehind, sh, skip } from './guest.ts';
import { until } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';
import { type Systemd, UNITS, withSystemd } from './support/systemd.ts';

const { describeDevice } = library;

test('systemd accepts the units', { skip }, () => {
  assert.equal(sh('systemd-analyze verify examples/systemd/*.service 2>&1'), '');
});

describe('under systemd', { skip: skip || onlyLong, timeout: 900_000 }, () => {
  leavesNothingBehind();

  test('a device with a server of its own is mounted, survives its server, and goes in the order of a shutdown', async () => {
    image('/srv/data.img', '/srv/data');
    const fstab = ['/dev/ublkb7 /srv/data ext4 _netdev,x-systemd.requires=ublkts-data.service 0 2'];
    await withSystemd({ units: ['ublkts-data.service'], fstab }, async (systemd) => {
      systemd.run('systemctl start srv-data.mount');
      await survivesItsServer(systemd, 'ublkts-data', 7, '/srv/data');

      // Stopped while a program has it open: the device is served on, and nothing is lost.
      systemd.run('umount /srv/data');
      changeUnit(systemd, 'ublkts-data', '[Service]\nTimeoutStopSec=5\n');
      systemd.run('exec 9< /dev/ublkb7; systemctl stop ublkts-data');
      assert.equal(systemd.show('ublkts-data', 'Result'), 'timeout');
      assert.equal((await describeDevice(7)).state, 'LIVE');
      systemd.run('ublkts del -n 7');

      // A unit that failed is started again, and everything goes with the machine.
      systemd.run('systemctl start srv-data.mount; echo last > /srv/data/last');
      await goesWith(systemd, 7, '/srv/data.img');
    });
  });

  test('of a device that cannot be made, the start ends', async () => {
    await withSystemd({ units: ['ublkts-data.service'], fstab: [] }, async (systemd) => {
      rmSync('/srv/data.img', { force: true });
      systemd.run('systemctl start --no-block ublkts-data');
      const hasFailed = (): boolean => systemd.show('ublkts-data', 'ActiveState') === 'failed';
      await until('the unit has given up', async () => hasFailed(), 240);
      assert.equal(systemd.run('systemctl list-jobs --no-legend'), '');
    });
  });

  test('of a device with a program, systemd knows which process is the server', async () => {
    await withSystemd({ units: ['ublkts-data.service'], fstab: [] }, async (systemd) => {
      const start = 'ublkts recover -n 7 || exec ublkts add -n 7 -t nbd -i 1 -- nbdkit memory 64M';
      const lines = ['[Unit]', 'RequiresMountsFor=', '[Service]', 'ExecStart=', `ExecStart=/bin/sh -c '${start}'`];
      changeUnit(systemd, 'ublkts-data', `${lines.join('\n')}\n`);
      systemd.run('systemctl start ublkts-data');
      await blockDevice('/dev/ublkb7');
      await isStartedAgain(systemd, 'ublkts-data');
      systemd.run('systemctl stop ublkts-data');
      assert.equal(systemd.show('ublkts-data', 'Result'), 'success');
      assert.ok(!existsSync('/dev/ublkb7'));
    });
  });

  test('a device of a resident server comes back with it', async () => {
    image('/srv/served.img', '/srv/served');
    const units = ['ublkts-server.service', 'ublkts-served.service'];
    const fstab = ['/dev/ublkb8 /srv/served ext4 _netdev,x-systemd.requires=ublkts-served.service 0 2'];
    await withSystemd({ units, fstab }, async (systemd) => {
      systemd.run('systemctl start srv-served.mount');
      await survivesItsServer(systemd, 'ublkts-server', 8, '/srv/served');
      systemd.run('echo last > /srv/served/last');
      await goesWith(systemd, 8, '/srv/served.img');
    });
  });
});

function image(file: string, mountPoint: string): void {
  mkdirSync(mountPoint, { recursive: true });
  sh(`truncate -s 64M ${file}; mkfs.ext4 -q ${file}`);
}

function changeUnit(systemd: Systemd, unit: string, text: string): void {
  mkdirSync(`${UNITS}/${unit}.service.d`, { recursive: true });
  writeFileSync(`${UNITS}/${unit}.service.d/changed.conf`, text);
  systemd.run('systemctl daemon-reload');
}

async function survivesItsServer(systemd: Systemd, unit: string, device: number, mountPoint: string): Promise<void> {
  systemd.run(`findmnt ${mountPoint}; echo before > ${mountPoint}/before; sync`);
  await blockDevice(`/dev/ublkb${device}`);
  await isStartedAgain(systemd, unit, `echo after > ${mountPoint}/after; sync`);
  const read = systemd.run(`echo 3 > /proc/sys/vm/drop_caches; cat ${mountPoint}/before ${mountPoint}/after`);
  assert.equal(read, 'before\nafter');
  const { state } = await describeDevice(device);
  assert.equal(state, 'LIVE');
}

/** Kills the unit's server, and runs `meanwhile` at once. */
async function isStartedAgain(systemd: Systemd, unit: string, meanwhile = 'true'): Promise<void> {
  const pid = systemd.show(unit, 'MainPID');
  systemd.run(`kill -9 ${pid}; ${meanwhile}`);
  const isBack = (): boolean => systemd.show(unit, 'MainPID') !== pid && systemd.show(unit, 'SubState') === 'running';
  await until('the unit has another server', async () => isBack(), 120);
}

async function goesWith(systemd: Systemd, device: number, file: string): Promise<void> {
  await systemd.powerOff();
  // Unmounted in order: without that the journal would have to be replayed.
  assert.match(sh(`dumpe2fs -h ${file}`), /Filesystem state: +clean/);
  assert.doesNotMatch(sh(`dumpe2fs -h ${file}`), /needs_recovery/);
  assert.equal(sh(`debugfs -R 'cat /last' ${file}`), 'last');
  assert.ok(!existsSync(`/dev/ublkb${device}`));
}
