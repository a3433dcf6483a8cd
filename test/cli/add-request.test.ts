/** kublk's command lines, as its selftests write them, and what the library is asked for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { normaliseArgv } from '../../src/cli/argv/normalise.ts';
import { addRequest, namedOptions } from '../../src/cli/flags/add-request.ts';
import Add from '../../src/commands/add.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';
import { parse } from '@oclif/core/parser';

async function parsed(line: string): Promise<[flags: Parameters<typeof addRequest>[0], files: string[]]> {
  const argv = normaliseArgv(line.split(' '), Add.flags);
  const { flags, args } = await parse(argv, { flags: Add.flags, args: Add.args });
  return [flags, args.files ?? []];
}

describe('add', () => {
  const lines: [string, Partial<AddOptions>][] = [
    ['-t null', {}],
    ['-t null -n -1 -q 4 -d 16', { queues: 4, depth: 16 }],
    ['-t null -n 300', { id: 300 }],
    ['-t null -n ublkb7', { id: 7 }],
    [
      '-t null -z --auto_zc --auto_zc_fallback',
      { features: ['SUPPORT_ZERO_COPY', 'AUTO_BUF_REG'], autoZcFallback: true },
    ],
    ['-t null -q 4 -d 16 --nthreads 3 --per_io_tasks', { queues: 4, depth: 16, threads: 3, perIoTasks: true }],
    ['-t null --cpus 0-2,7', { cpus: [0, 1, 2, 7] }],
    ['-t loop -q 2 -g /img', { queues: 2, features: ['NEED_GET_DATA'], files: ['/img'], target: 'loop' }],
    ['-t nbd nbd://host/disk', { target: 'nbd', targetOptions: { uri: 'nbd://host/disk' } }],
    [
      '-t nbd --reconnect_delay 5 --structured_replies --uri nbd://host',
      { target: 'nbd', targetOptions: { uri: 'nbd://host', reconnect_delay: '5', structured_replies: '1' } },
    ],
    ['-t loop /img -u', { features: ['USER_COPY'], files: ['/img'], target: 'loop' }],
    [
      '-t stripe --chunk_size 4096 /a /b',
      { targetOptions: { chunk_size: '4096' }, files: ['/a', '/b'], target: 'stripe' },
    ],
    ['-t stripe --chunk_size 64k /a', { targetOptions: { chunk_size: '65536' }, files: ['/a'], target: 'stripe' }],
    ['-t fault_inject --delay_us 2000000', { targetOptions: { delay_us: '2000000' }, target: 'fault_inject' }],
    ['-t fault_inject --die_during_fetch 1', { targetOptions: { die_during_fetch: '1' }, target: 'fault_inject' }],
    [
      '-t mine -o colour=a=b -o size=3 /f',
      { targetOptions: { colour: 'a=b', size: '3' }, files: ['/f'], target: 'mine' },
    ],
    ['-t null -r 1', { features: ['USER_RECOVERY'] }],
    ['-t null -r 0', {}],
    ['-t null -r 1 -e 1', { features: ['USER_RECOVERY', 'USER_RECOVERY_FAIL_IO'] }],
    ['-t null -i 1', { features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'] }],
    ['-t null -b --auto_zc --rotate_auto_buf', { features: ['AUTO_BUF_REG', 'BATCH_IO'], rotateAutoBuf: true }],
    ['-t null --io_desc_size 0x40', { features: ['IO_DESC_SIZE'], ioDescSize: 64 }],
    ['-t null --no_ublk_fixed_fd --no-auto-part-scan', { features: ['NO_AUTO_PART_SCAN'], noUblkFixedFd: true }],
    ['-t null --quiet --debug_mask 1f', { quiet: true, debugMask: 0x1f }],
    ['-t null --shmem_zc --htlb /b', { features: ['SHMEM_ZC'], buffers: [{ path: '/b', readOnly: false }] }],
    [
      '-t null --shmem-zc --htlb /b --htlb /c --rdonly-shmem-buf',
      {
        features: ['SHMEM_ZC'],
        buffers: [
          { path: '/b', readOnly: true },
          { path: '/c', readOnly: true },
        ],
      },
    ],
    [
      '-t null -u --integrity_reftag --metadata_size 8 --csum_type t10dif',
      {
        features: ['USER_COPY', 'INTEGRITY'],
        integrity: { metadataSize: 8, capable: false, reftag: true, piOffset: 0, csumType: 't10dif', tagSize: 0 },
      },
    ],
  ];
  for (const [line, changes] of lines) {
    test(line, async () => {
      assert.deepEqual(addRequest(...(await parsed(line))), { ...ADD_DEFAULTS, target: 'null', ...changes });
    });
  }

  test('needs a target', async () => {
    const [flags, files] = await parsed('-q 2');
    assert.throws(() => addRequest(flags, files), { kind: 'usage', message: 'no target is named' });
  });
});

describe('recover names only what it is given', () => {
  test('nothing', async () => assert.deepEqual(namedOptions(...(await parsed('--foreground'))), {}));
  test('depth and a file', async () => {
    assert.deepEqual(namedOptions(...(await parsed('-d 4 /img'))), { depth: 4, files: ['/img'] });
  });
});
