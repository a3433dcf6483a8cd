/**
 * Copy on write over a base image, which is never written: what changes goes to a second, sparse file. A third one, the
 * map, says which blocks have changed, so that a recovered device finds them.
 *
 *     ublkts add -t ./overlay.ts -o base=debian.img -o changes=mine.img
 */
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { BlockError, defineTarget, path } from 'ublkts/target';

/** Disk images count in sectors of 512 bytes, in their partition tables for example. */
const BLOCK = 512;

export default defineTarget({
  summary: 'a writable view of a base image',
  options: {
    base: path({ required: true, summary: 'the image, which stays as it is' }),
    changes: path({ required: true, summary: 'the file for what changes; it is made when it is not there' }),
  },
  open({ options }) {
    const base = openSync(options.base, 'r');
    const size = fstatSync(base).size - (fstatSync(base).size % BLOCK);
    const data = openSync(options.changes, constants.O_RDWR | constants.O_CREAT);
    const map = openSync(`${options.changes}.map`, constants.O_RDWR | constants.O_CREAT);
    ftruncateSync(data, size);
    const changed = Buffer.alloc(size / BLOCK);
    readSync(map, changed, 0, changed.length, 0);
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
  if (done !== wanted) throw new BlockError('EIO', `${done} bytes of ${wanted}`);
}
