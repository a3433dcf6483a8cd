/** Memory that a new server finds again, in a file on a tmpfs. */
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createMemfd, mapFile } from '../../src/native/memory.ts';
import type { StoredBuffer } from '../../src/record/device-record.ts';
import { type FoundMemory, MemorySearch } from '../../src/server/shared-memory/find-memory.ts';
import { pageFingerprint } from '../../src/server/shared-memory/page-fingerprint.ts';

const MiB = 1 << 20;

describe('the memory of a registered buffer', () => {
  test('is found in a file that has grown', () => {
    withBuffer((buffer, fd) => {
      ftruncateSync(fd, 3 * MiB);
      const found = search(buffer);
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
        assert.equal(search(buffer), null);
        assert.equal(fstatSync(fd).blocks * 512, left);
      }
    });
  });

  test('is found in a process that has it open, by one search for several buffers', () => {
    const memfds = [0, 1, 2].map((index) => ({ fd: createMemfd('m', MiB), index }));
    const buffers = memfds.map(({ fd, index }) => storedBuffer(fd, index, null));
    const lost = { ...buffers[1]!, pages: 'others' };
    const search = new MemorySearch([lost, ...buffers]);
    const found = [lost, ...buffers.toReversed()].map((buffer) => search.find(buffer));
    const inodes = found.map((memory) => memory && String(fstatSync(memory.fd).ino));
    assert.deepEqual(inodes, [null, ...buffers.map(({ inode }) => inode).toReversed()]);
    for (const memory of found) {
      memory?.memory.unmap();
      if (memory) closeSync(memory.fd);
    }
    for (const { fd } of memfds) closeSync(fd);
  });
});

function search(buffer: StoredBuffer): FoundMemory | null {
  return new MemorySearch([buffer]).find(buffer);
}

/** Each page has its memory afterwards. */
function storedBuffer(fd: number, index: number, path: string | null): StoredBuffer {
  const memory = mapFile(fd, MiB, 'of a test', { populate: true });
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const pages = pageFingerprint(memory);
  memory.unmap();
  const kind = { readOnly: false, kept: false };
  return { index, length: MiB, path, source: path ?? 'memfd', device: String(dev), inode: String(ino), ...kind, pages };
}

function withBuffer(use: (buffer: StoredBuffer, fd: number) => void): void {
  const folder = mkdtempSync('/dev/shm/ublkts-find-');
  const path = `${folder}/buffer`;
  const fd = openSync(path, 'wx+');
  try {
    ftruncateSync(fd, MiB);
    use(storedBuffer(fd, 0, path), fd);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}
