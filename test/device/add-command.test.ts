import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addCommand } from '../../src/device/recover/add-command.ts';
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
