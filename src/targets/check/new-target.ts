/** Writes the file that a target of one's own begins with. */
import { writeFileSync } from 'node:fs';
import { UblkError } from '../../errors.ts';

/** Returns the name of the file, which is in the current directory. Throws a UblkError when it is there already. */
export function writeNewTarget(name: string, isAsync: boolean): string {
  const file = /\.m?ts$/.test(name) ? name : `${name}.ts`;
  try {
    writeFileSync(file, isAsync ? ASYNC : SYNC, { flag: 'wx' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    const why = code === 'EEXIST' ? 'it is there already' : code;
    throw new UblkError(`cannot write ${file}: ${why}`, { code, command: 'open', hint: 'choose another name' });
  }
  return file;
}

const SYNC = `import { defineTarget, size } from 'ublkts/target';

export default defineTarget({
  summary: 'a disk in memory',
  // Given as -o size=2G, and shown by \`ublkts add -t FILE --help\`.
  options: { size: size({ default: '1G', multipleOf: 512, summary: 'how large the disk is' }) },

  // Runs when the device is made, and again when it is recovered. What it throws, \`ublkts add\` shows.
  open({ options }) {
    const disk = Buffer.alloc(options.size);
    return {
      size: options.size,
      // Fill all of \`buffer\`. It is yours until you return.
      read(buffer, offset) {
        disk.copy(buffer, 0, offset, offset + buffer.length);
      },
      // Without \`flush\` below, the data must be durable when this returns.
      write(buffer, offset) {
        disk.set(buffer, offset);
      },
      // Leave a function out, and the kernel does not offer it.
      discard(offset, length) {
        disk.fill(0, offset, offset + length);
      },
    };
  },
});
`;

const ASYNC = `import { open } from 'node:fs/promises';
import { BlockError, defineTarget, path } from 'ublkts/target';

export default defineTarget({
  summary: 'a disk in a file',
  // Given as -o file=disk.img, and shown by \`ublkts add -t FILE --help\`.
  options: { file: path({ required: true, summary: 'the file that holds the disk' }) },

  // Runs when the device is made, and again when it is recovered. What it throws, \`ublkts add\` shows.
  async open({ options }) {
    const file = await open(options.file, 'r+');
    const { size } = await file.stat();
    return {
      size: size - (size % 512),
      // Fill all of \`buffer\`. It is yours until the promise settles. Many requests are under way at once.
      read: (buffer, offset) => whole(buffer, (part, at) => file.read(part, 0, part.length, offset + at).then((r) => r.bytesRead)),
      // With \`flush\` below, a write may be in a cache until then, but not one with \`fua\`.
      async write(buffer, offset, { fua }) {
        await whole(buffer, (part, at) => file.write(part, 0, part.length, offset + at).then((r) => r.bytesWritten));
        if (fua) await file.datasync();
      },
      flush: () => file.datasync(),
      close: () => file.close(),
    };
  },
});

/** A read or a write may do less than it was asked for: the rest is asked for again. */
async function whole(buffer: Buffer, some: (part: Buffer, at: number) => Promise<number>): Promise<void> {
  for (let at = 0; at < buffer.length; ) {
    const done = await some(buffer.subarray(at), at);
    // The client of the device gets this error: ENOSPC, EIO, ETIMEDOUT and a few more reach it by name.
    if (done === 0) throw new BlockError('EIO', 'the file has become shorter');
    at += done;
  }
}
`;
