import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '@oclif/core/parser';
import { normaliseArgv } from '../../src/cli/argv/normalise.ts';
import { addRequest } from '../../src/cli/flags/add-request.ts';
import Add from '../../src/commands/add.ts';
import { addCommand, addWords } from '../../src/device/recover/add-command.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';

function command(options: Partial<AddOptions>): string {
  return addCommand({ ...ADD_DEFAULTS, target: 'loop', ...options });
}

test('only what differs from the defaults is named', () => {
  assert.equal(command({ files: ['/root/w/disk.img'] }), 'ublkts add -t loop /root/w/disk.img');
  assert.equal(
    command({ features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'], queues: 4, files: ['/root/w/disk.img'] }),
    'ublkts add -t loop -q 4 -i 1 /root/w/disk.img',
  );
});

test('shared buffers, target options and switches are named', () => {
  assert.equal(
    command({
      id: 3,
      features: ['USER_RECOVERY', 'SHMEM_ZC'],
      targetOptions: { chunk_size: '65536' },
      buffers: [{ path: '/mnt/huge/buf', readOnly: true }],
      share: true,
      files: ['/a'],
    }),
    'ublkts add -t loop -n 3 -r 1 --shmem_zc --share -o chunk_size=65536 --htlb /mnt/huge/buf --rdonly_shmem_buf /a',
  );
});

test('a shell reads a name with blanks and quotes as one word', () => {
  assert.equal(command({ files: ["/srv/it's here.img"] }), String.raw`ublkts add -t loop '/srv/it'\''s here.img'`);
});

test('a resident server is named', () => {
  assert.equal(command({ server: 'fast', files: ['/a'] }), 'ublkts add -t loop --server=fast /a');
});

/** A value of each option that is not its default. */
const OTHERS: Omit<AddOptions, 'target'> = {
  files: ['/a', '/b'],
  targetOptions: { chunk_size: '65536' },
  share: true,
  id: 3,
  queues: 4,
  depth: 16,
  features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE', 'BATCH_IO'],
  dataPath: 'user_copy',
  threads: 3,
  cpus: [0, 2, 3],
  perIoTasks: true,
  autoZcFallback: true,
  rotateAutoBuf: true,
  noUblkFixedFd: true,
  ioDescSize: 64,
  maxIoBufBytes: 65536,
  integrity: { metadataSize: 16, capable: true, reftag: true, piOffset: 8, csumType: 't10dif', tagSize: 2 },
  buffers: [{ path: '/mnt/huge/buf', readOnly: true }],
  mlock: true,
  server: 'fast',
  quiet: true,
  debugMask: 0x1f,
};

for (const name of Object.keys(OTHERS) as (keyof typeof OTHERS)[]) {
  test(`what add reads in the command has the option ${name}`, async () => {
    const words = addWords({ ...ADD_DEFAULTS, target: 'loop', [name]: OTHERS[name] });
    const argv = normaliseArgv(words, Add.flags);
    const { flags, args } = await parse(argv, { flags: Add.flags, args: Add.args });
    assert.deepEqual(addRequest(flags, args.files ?? [], argv)[name], OTHERS[name]);
  });
}
