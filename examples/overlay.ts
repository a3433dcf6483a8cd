/**
 * Copy on write over a base image, which is never written: what changes goes to a second, sparse file. A third one, the
 * map, says which blocks have changed, so that a recovered device finds them.
 *
 *     touch mine.img; ublkts add -t ./overlay.ts -o base=debian.img mine.img
 */
import { closeSync, constants, fdatasyncSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { BlockError, defineTarget, path, sizeOfFile } from 'ublkts/target';

/** Disk images count in sectors of 512 bytes, in their partition tables for example. */
const BLOCK = 512;

export default defineTarget({
  summary: 'a writable view of a base image',
  options: { base: path({ required: true, summary: 'the image or block device, which stays as it is' }) },
  // The file for what changes: a backing file and not an option, so that no second device gets it.
  files: { min: 1, max: 1 },
  open({ options, files: [changes = ''] }) {
    const size = Math.floor(sizeOfFile(options.base) / BLOCK) * BLOCK;
    const changed = Buffer.alloc(size / BLOCK);
    const sizes = [changes, `${changes}.map`].map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    // Another base, or one of the two files without the other: what has changed would be lost, or read as zeroes.
    if (sizes.some((bytes) => bytes > 0) && (sizes[0] !== size || sizes[1] !== changed.length)) {
      const wanted = `with this base they have ${size} and ${changed.length}, or are both empty to begin anew`;
      throw new Error(`${changes} and ${changes}.map have ${sizes.join(' and ')} bytes: ${wanted}`);
    }
    const base = openSync(options.base, 'r');
    const data = openSync(changes, 'r+');
    const map = openSync(`${changes}.map`, constants.O_RDWR | constants.O_CREAT);
    ftruncateSync(data, size);
    ftruncateSync(map, changed.length);
    exactly(changed.length, readSync(map, changed, 0, changed.length, 0));
    return {
      size,
      read(buffer, offset) {
        for (let at = 0, end = 0; at < buffer.length; at = end) {
          const isChanged = changed[(offset + at) / BLOCK];
          do end += BLOCK;
          while (end < buffer.length && changed[(offset + end) / BLOCK] === isChanged);
          exactly(end - at, readSync(isChanged === 1 ? data : base, buffer, at, end - at, offset + at));
        }
      },
      write(buffer, offset, { fua }) {
        exactly(buffer.length, writeSync(data, buffer, 0, buffer.length, offset));
        const first = offset / BLOCK;
        const blocks = buffer.length / BLOCK;
        const isNew = changed.subarray(first, first + blocks).includes(0);
        // The data is durable before the map names it: after a crash a block is what it was or what was written.
        if (fua || isNew) fdatasyncSync(data);
        if (isNew) exactly(blocks, writeSync(map, Buffer.alloc(blocks, 1), 0, blocks, first));
        changed.fill(1, first, first + blocks);
        if (fua) fdatasyncSync(map);
      },
      flush() {
        fdatasyncSync(data);
        fdatasyncSync(map);
      },
      close: () => [base, data, map].forEach((fd) => closeSync(fd)),
    };
  },
});

function exactly(wanted: number, done: number): void {
  if (done !== wanted)
    throw new BlockError('EIO', `${done} bytes of ${wanted}: the disk is full, or a file was cut short`);
}
