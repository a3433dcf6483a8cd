import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkKernel } from '../../src/device/doctor/kernel.ts';
import { checkDevices } from '../../src/device/doctor/leftovers.ts';
import { isOfAnother, serverOfFile } from '../../src/device/doctor/stale-files.ts';
import { checkHugepages, checkMemlock } from '../../src/device/doctor/memory.ts';
import { checkLibraries, checkNode } from '../../src/device/doctor/runtime.ts';
import { checkRunDirectory } from '../../src/device/doctor/run-directory.ts';
import { checkSwap } from '../../src/device/doctor/swap.ts';
import { isRingRefusal, ringSetupFailure } from '../../src/native/ring/setup-failure.ts';
import type { DeviceReport } from '../../src/device/report/report.ts';

describe('the run directory', () => {
  const enough = { isReadOnly: false, freeBytes: 100 << 20, freeFiles: 10_000 };

  test('with room is well, also on a file system without a bound of files', () => {
    assert.deepEqual(checkRunDirectory(enough), {
      name: 'run directory',
      status: 'ok',
      detail: '/run/ublkts has 100M free',
      hint: null,
    });
    assert.equal(checkRunDirectory({ ...enough, freeFiles: null }).status, 'ok');
  });

  test('that is full, has no room for files, or is read-only fails', () => {
    const found = [{ freeBytes: 4096 }, { freeFiles: 3 }, { isReadOnly: true }].map((lack) =>
      checkRunDirectory({ ...enough, ...lack }),
    );
    assert.deepEqual(
      found.map(({ status, detail }) => [status, detail]),
      [
        ['fail', '/run/ublkts has 4K free, and devices need more'],
        ['fail', '/run/ublkts has room for 3 more files, and devices need more'],
        ['fail', '/run/ublkts is on a read-only file system'],
      ],
    );
    assert.match(found[0]?.hint ?? '', /df \/run\/ublkts/);
  });
});

describe('the kernel', () => {
  const releases: [string, string][] = [
    ['5.15.0-91-generic', 'fail'],
    ['6.0.1', 'warn'],
    ['6.18.44-fc', 'warn'],
    ['7.0.12', 'warn'],
    ['7.1.0-rc1', 'ok'],
    ['7.3.4+deb13-cloud-amd64', 'ok'],
    ['10.0.0', 'ok'],
  ];
  for (const [release, status] of releases) {
    test(`${release} is ${status}`, () => assert.equal(checkKernel(release).status, status));
  }

  test('an io_uring that is switched off is told from one that a container hides and one that is too old', () => {
    const EPERM = 1;
    const EINVAL = 22;
    const EMFILE = 24;
    const ENOSYS = 38;
    const told = [
      [
        ringSetupFailure(EPERM, '2'),
        'unsupported',
        /kernel\.io_uring_disabled is 2/,
        /sysctl kernel.io_uring_disabled=0/,
      ],
      [ringSetupFailure(EPERM, '1'), 'unsupported', /for this user .*is 1/, /io_uring_group/],
      [ringSetupFailure(EPERM, '0'), 'unsupported', /seccomp/, /profile/],
      [ringSetupFailure(EPERM, null), 'unsupported', /seccomp/, /profile/],
      [ringSetupFailure(ENOSYS, null), 'unsupported', /no io_uring, or a seccomp/, /profile/],
      [ringSetupFailure(EINVAL, '0'), 'unsupported', /Invalid argument/, /too old/],
    ] as const;
    for (const [error, kind, message, hint] of told) {
      assert.equal(error.kind, kind);
      assert.match(error.message, message);
      assert.match(error.hint ?? '', hint);
      assert.ok(isRingRefusal(error));
    }
    assert.ok(!isRingRefusal(ringSetupFailure(EMFILE, '0')), 'a limit can be raised');
  });
});

describe('the runtime', () => {
  test('old Nodes are refused, middle-aged ones work', () => {
    assert.deepEqual(
      ['20.11.1', '22.0.0', '26.10.0'].map((version) => checkNode(version).status),
      ['fail', 'warn', 'ok'],
    );
  });

  test('both libraries reach libc here', async () => {
    for (const check of await checkLibraries()) assert.equal(check.status, 'ok', check.detail);
  });
});

describe('memory', () => {
  const mounted = 'none /mnt/huge hugetlbfs rw,relatime 0 0\n';

  test('hugepages want to exist, be free and be mounted', () => {
    assert.equal(checkHugepages(meminfo(10, 4), mounted).detail, '4 of 10 free (2048 KiB each), hugetlbfs /mnt/huge');
    assert.equal(checkHugepages(meminfo(10, 4), mounted).status, 'ok');
    assert.match(checkHugepages(meminfo(0, 0), mounted).hint ?? '', /nr_hugepages/);
    assert.match(checkHugepages(meminfo(10, 0), mounted).hint ?? '', /in use/);
    assert.match(checkHugepages(meminfo(10, 4), 'proc /proc proc rw 0 0\n').hint ?? '', /mount -t hugetlbfs/);
  });

  test('the limit of locked memory holds for users, not for root', () => {
    const limits = 'Max locked memory         8388608              8388608              bytes\n';
    assert.equal(checkMemlock(limits, true).status, 'ok');
    assert.equal(checkMemlock(limits, false).status, 'warn');
    assert.equal(checkMemlock(limits.replaceAll('8388608', 'unlimited'), false).status, 'ok');
  });

  test('a server of a device with swap needs locked memory, and no memory of its own in swap', () => {
    const locked = { id: 0, mlock: true, swappedKib: 0 };
    assert.equal(checkSwap([]).status, 'ok');
    assert.equal(checkSwap([locked]).status, 'ok');
    const unlocked = checkSwap([locked, { id: 1, mlock: false, swappedKib: 8 }]);
    assert.match(unlocked.detail, /^on device 1, added without --mlock/);
    assert.match(unlocked.hint ?? '', /--mlock/);
    assert.match(checkSwap([{ ...locked, swappedKib: 8 }]).hint ?? '', /MemorySwapMax=0/);
  });
});

describe('leftovers', () => {
  test('a device without a server is recovered where it can be, deleted where not', () => {
    const check = checkDevices([
      device(0, 'LIVE', process.pid),
      device(1, 'DEAD', -1),
      device(2, 'QUIESCED', -1),
      device(3, 'DEAD', -1),
    ]);
    assert.equal(
      check.detail,
      'device 1 (DEAD) has no server; device 2 (QUIESCED) has no server, and its I/O waits; device 3 (DEAD) has no server',
    );
    assert.equal(check.hint, '`ublkts recover -n 2`; `ublkts del 1 3`');
  });

  test('a device that is going and one with a stopped server hide no other trouble', () => {
    const check = checkDevices([
      { ...device(0, 'LIVE', 70), deleting: { since: '', holders: [] }, last_error: 'it is being deleted' },
      { ...device(1, 'LIVE', 71), server_state: 'stopped' },
      device(2, 'DEAD', -1),
    ]);
    assert.equal(
      check.detail,
      'device 0: it is being deleted; device 1: its server is stopped (state T), and its I/O waits; device 2 (DEAD) has no server',
    );
    assert.match(check.hint ?? '', /kill -CONT 71`; `ublkts del 2`/);
  });

  test('files belong to the device that they are named after', () => {
    assert.ok(isOfAnother('7.json', [0]));
    assert.ok(isOfAnother('ublkb7.sock', [0]));
    assert.ok(!isOfAnother('0.stats', [0]));
    assert.ok(!isOfAnother('README', [0]));
  });

  test('files belong to the resident server that they are named after', () => {
    assert.equal(serverOfFile('server-main.sock'), 'main');
    assert.equal(serverOfFile('server-a.b.lock'), 'a.b');
    assert.equal(serverOfFile('7.lock'), null);
    assert.equal(serverOfFile('server-main.sock.old'), null);
  });
});

function meminfo(total: number, free: number): string {
  return `HugePages_Total:   ${total}\nHugePages_Free:    ${free}\nHugepagesize:       2048 kB\n`;
}

function device(id: number, state: DeviceReport['state'], pid: number): DeviceReport {
  const server_state = pid > 0 ? 'running' : null;
  return { id, state, ublksrv_pid: pid, server_state, deleting: null, last_error: null } as DeviceReport;
}
