/** Memory that a new server finds again, in a file on a tmpfs. */
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { mapFile } from '../../src/native/memory.ts';
import type { StoredBuffer } from '../../src/record/device-record.ts';
import { findMemory } from '../../src/server/shared-memory/find-memory.ts';
import { pageFingerprint } from '../../src/server/shared-memory/page-fingerprint.ts';

const MiB = 1 << 20;

describe('the memory of a registered buffer', () => {
  test('is found in a file that has grown', () => {
    withBuffer((buffer, fd) => {
      ftruncateSync(fd, 3 * MiB);
      const found = findMemory(buffer);
      assert.equal(found?.memory.length, MiB);
      found?.memory.unmap();
      if (found !== null) closeSync(found.fd);
    });
  });

  test('is not looked for in a file that was cut short and grown again, which stays without memory', () => {
    withBuffer((buffer, fd) => {
      for (const left of [MiB / 2, 0]) {
        ftruncateSync(fd, left);
        ftruncateSync(fd, 3 * MiB);
        assert.equal(findMemory(buffer), null);
        assert.equal(fstatSync(fd).blocks * 512, left);
      }
    });
  });
});

function withBuffer(use: (buffer: StoredBuffer, fd: number) => void): void {
  const folder = mkdtempSync('/dev/shm/ublkts-find-');
  const path = `${folder}/buffer`;
  const fd = openSync(path, 'wx+');
  try {
    ftruncateSync(fd, MiB);
    const memory = mapFile(fd, MiB, 'of a test', { populate: true });
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const identity = { device: String(dev), inode: String(ino) };
    const pages = pageFingerprint(memory);
    const kind = { readOnly: false, kept: false };
    use({ index: 0, length: MiB, path, source: path, ...identity, ...kind, pages }, fd);
    memory.unmap();
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}
