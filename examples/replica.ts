/**
 * Two files with the same content: the disk survives the loss of one. A file that fails is left out from then on, and the
 * log says so.
 *
 *     truncate -s 1G /a/disk.img /b/disk.img
 *     ublkts add -t ./replica.ts /a/disk.img /b/disk.img
 */
import { type FileHandle, open } from 'node:fs/promises';
import { BlockError, defineTarget } from 'ublkts/target';

export default defineTarget({
  summary: 'a disk on two files, each with all of it',
  files: { min: 2, max: 2 },
  async open({ files, log }) {
    const opened = await Promise.all(files.map(async (name) => ({ name, file: await open(name, 'r+') })));
    const sizes = await Promise.all(opened.map(async ({ file }) => (await file.stat()).size));
    if (sizes[0] !== sizes[1]) throw new Error(`the files have ${sizes.join(' and ')} bytes`);
    const size = (sizes[0] ?? 0) - ((sizes[0] ?? 0) % 512);
    const good = new Set(opened);

    const lost = (replica: (typeof opened)[number], error: unknown): void => {
      if (!good.delete(replica)) return;
      log(`${replica.name} is left out: ${String(error)}; ${good.size} left`);
      // A file that only the garbage collector closes is an error outside of every request.
      replica.file.close().catch(() => {});
    };
    /** Done when every good replica has done it; one is enough. */
    const onAll = async (work: (file: FileHandle) => Promise<void>): Promise<void> => {
      await Promise.all([...good].map((replica) => work(replica.file).catch((error: unknown) => lost(replica, error))));
      if (good.size === 0) throw new BlockError('EIO', 'both files are lost');
    };
    return {
      size,
      async read(buffer, offset) {
        for (const replica of good) {
          try {
            return await whole(buffer, (part, at) =>
              replica.file.read(part, 0, part.length, offset + at).then((r) => r.bytesRead),
            );
          } catch (error) {
            lost(replica, error);
          }
        }
        throw new BlockError('EIO', 'both files are lost');
      },
      write: (buffer, offset, { fua }) =>
        onAll(async (file) => {
          await whole(buffer, (part, at) => file.write(part, 0, part.length, offset + at).then((r) => r.bytesWritten));
          if (fua) await file.datasync();
        }),
      flush: () => onAll((file) => file.datasync()),
      close: () => onAll((file) => file.close()),
    };
  },
});

async function whole(buffer: Buffer, some: (part: Buffer, at: number) => Promise<number>): Promise<void> {
  for (let at = 0, done = 0; at < buffer.length; at += done) {
    done = await some(buffer.subarray(at), at);
    if (done === 0) throw new Error('the file has become shorter');
  }
}
