import type { BackingFile } from '../backing-files.ts';

const CHUNK_BYTES = 1 << 20;

/**
 * Fills the metadata from byte `from` to byte `to` of its file with 0xFF, as kublk does. Tags of this value turn the block
 * layer's own checks off: the blocks that it describes have not been written since they became part of the device.
 */
export async function initialiseMetadata(
  { calls, fd }: Pick<BackingFile, 'calls' | 'fd'>,
  from: number,
  to: number,
): Promise<void> {
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, to - from)).fill(0xff);
  for (let at = from; at < to; ) {
    at += await calls.write(fd, chunk.subarray(0, Math.min(chunk.length, to - at)), at);
  }
}
