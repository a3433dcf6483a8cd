import type { BackingFile } from '../backing-files.ts';

const CHUNK_BYTES = 1 << 20;

/** Fills the metadata with 0xFF, as kublk does. Tags of this value turn the block layer's own checks off. */
export async function initialiseMetadata({ calls, fd }: BackingFile, bytes: number): Promise<void> {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, bytes)).fill(0xff);
  for (let done = 0; done < bytes; ) {
    done += await calls.write(fd, chunk.subarray(0, Math.min(chunk.length, bytes - done)), done);
  }
}
