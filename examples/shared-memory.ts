/**
 * Copies a file onto a ublk device and reads it back, without one byte of it being copied on its way to the server:
 *
 *     ublkts add -t loop --shmem_zc disk.img
 *     node examples/shared-memory.ts /dev/ublkb0 some-file
 *
 * The last lines say how many of its requests the driver matched.
 */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { describeDevice, openDevice, type SharedMemoryDevice } from 'ublkts';

const [device, source] = process.argv.slice(2);
if (device === undefined || source === undefined) throw new Error('usage: shared-memory.ts DEVICE FILE');

const PIECE = 256 * 1024;
const BLOCK = 4096;
const AT_ONCE = 4;

const disk = await openDevice(device);
try {
  const region = await disk.allocate({ bytes: (AT_ONCE + 1) * PIECE });
  const { size } = await stat(source);
  const buffers = Array.from({ length: AT_ONCE }, () => region.alloc(PIECE));

  const written = await copyOnto(disk, source, size, region.alloc(PIECE));
  await disk.flush();
  const read = await readBack(disk, size, buffers);
  if (read !== written) throw new Error('what was read is not what was written');
  process.stdout.write(`${size} bytes there and back, sha256 ${read}\n`);

  const { buffers: registered, io } = await describeDevice(disk.id);
  const matched = registered?.find((buffer) => buffer.index === region.index)?.matched.requests;
  process.stdout.write(`buffer ${region.index}: ${matched} requests matched; device: ${io?.copied.requests} copied\n`);
} finally {
  await disk.close();
}

/** The last block is filled up with zeros: a block device takes whole blocks. */
async function copyOnto(disk: SharedMemoryDevice, path: string, size: number, buffer: Buffer): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path);
  try {
    for (let at = 0; at < size; at += PIECE) {
      const { bytesRead } = await file.read(buffer, 0, PIECE, at);
      hash.update(buffer.subarray(0, bytesRead));
      const end = Math.ceil(bytesRead / BLOCK) * BLOCK;
      buffer.fill(0, bytesRead, end);
      await disk.write(buffer.subarray(0, end), at);
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** Several reads at once, each into its own buffer of the region. */
async function readBack(disk: SharedMemoryDevice, size: number, buffers: readonly Buffer[]): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += buffers.length * PIECE) {
    const pieces = buffers.map(async (buffer, i) => {
      const begin = at + i * PIECE;
      const bytes = Math.min(PIECE, size - begin);
      if (bytes <= 0) return buffer.subarray(0, 0);
      await disk.read(buffer.subarray(0, Math.ceil(bytes / BLOCK) * BLOCK), begin);
      return buffer.subarray(0, bytes);
    });
    for (const piece of await Promise.all(pieces)) hash.update(piece);
  }
  return hash.digest('hex');
}
