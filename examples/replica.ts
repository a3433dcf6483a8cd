/**
 * Two files or block devices with the same content: the disk survives the loss of one. Before a file that failed is left out, a number in
 * the last 4 KiB of the other one becomes higher: a file that has missed writes is not used again before somebody copies
 * the other one over it. Nothing compares the two after a crash of the machine or of the server, which can leave the
 * blocks of a write that nobody has an answer for different.
 *
 *     truncate -s 1G /a/disk.img /b/disk.img; ublkts add -t ./replica.ts /a/disk.img /b/disk.img
 */
import { closeSync, fdatasyncSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { defineTarget, sizeOfFile } from 'ublkts/target';

export default defineTarget({
  summary: 'a disk on two files or block devices, each with all of it',
  files: { min: 2, max: 2 },
  open({ files, log }) {
    // A block device is known by its number, and a file by its place on its file system.
    const [one, other] = files.map((name) => statSync(name)).map(({ dev, ino, rdev }) => `${rdev || `${dev}:${ino}`}`);
    if (one === other) throw new Error('both are the same file');
    const [bytes = 0, others = 0] = files.map((name) => sizeOfFile(name));
    if (bytes !== others || bytes < 8192)
      throw new Error(`they have ${bytes} and ${others} bytes: give two files of the same size, 8 KiB or more`);
    const size = Math.floor(bytes / 4096 - 1) * 4096;
    const opened = files.map((name) => ({ name, fd: openSync(name, 'r+'), last: Buffer.alloc(4096) }));
    for (const { name, fd, last } of opened) {
      exactly(last, readSync(fd, last, 0, 4096, size));
      if (last.subarray(8).every((byte) => byte === 0)) continue;
      // A resident server goes on, with what `open` has left open.
      for (const replica of opened) closeSync(replica.fd);
      throw new Error(`the last 4 KiB of ${name} are in use`);
    }
    let number = Math.max(...opened.map(({ last }) => last.readDoubleLE()));
    let good = opened.filter(({ last }) => last.readDoubleLE() === number);
    if (good.length === 1) log(`only ${good[0]!.name} is used: the other file has missed writes`);
    const setNumber = (higher: number, replicas: typeof opened): void => {
      number = higher;
      for (const { fd } of replicas) writeSync(fd, new Float64Array([number]), 0, 8, size);
      for (const { fd } of replicas) fdatasyncSync(fd);
    };
    if (number === 0) setNumber(Date.now(), good);
    const onGood = (work: (fd: number) => void, most = good.length): void => {
      for (const replica of good.slice(0, most)) {
        try {
          work(replica.fd);
        } catch (error) {
          const left = good.filter((other) => other !== replica);
          if (left.length === 0) throw error;
          setNumber(number + 1, left);
          good = left;
          log(`${replica.name} is left out: ${String(error)}; ${left.length} left`);
          return onGood(work, most);
        }
      }
    };
    return {
      size,
      read: (buffer, offset) => onGood((fd) => exactly(buffer, readSync(fd, buffer, 0, buffer.length, offset)), 1),
      write(buffer, offset, { fua }) {
        onGood((fd) => exactly(buffer, writeSync(fd, buffer, 0, buffer.length, offset)));
        if (fua) onGood(fdatasyncSync);
      },
      flush: () => onGood(fdatasyncSync),
      close() {
        onGood(fdatasyncSync);
        for (const { fd } of opened) closeSync(fd);
      },
    };
  },
});

function exactly({ length }: Buffer, done: number): void {
  if (done !== length) throw new Error(`${done} bytes of ${length}: ENOSPC, or a file that was cut short`);
}
