/**
 * The target `loop`: serves one file or block device with direct I/O. With integrity, a second file holds the metadata.
 */
import { constants } from 'node:fs';
import { BackingCalls } from '../backing-calls.ts';
import type { BuiltInTarget, Opened, OpenRequest } from '../target.ts';
import { type BackingFile, closeBackingFiles, closeUnused, openBackingFiles } from '../backing-files.ts';
import { makeRoom, requireRoom, type RoomRequest } from '../room.ts';
import { unusedEnd } from '../unused-end.ts';
import { initialiseMetadata } from './metadata.ts';
import { loopParams, loopSectors, metadataBytes } from './params.ts';
import { OffsetLoopQueue } from './offset-queue.ts';
import { LOOP_OPTIONS, parseLoopOptions, partOf, requireWithinLimit } from './options.ts';
import { LoopQueue, type LoopState } from './queue.ts';

export const loopTarget: BuiltInTarget<LoopState> = {
  name: 'loop',
  summary: 'a file or block device',
  options: LOOP_OPTIONS,
  files: { min: 1, max: 1 },
  prefers: ['auto_zc'],
  namespaces: () => [],
  check: ({ options }) => {
    parseLoopOptions(options);
  },
  open,
  queue: (context) => (context.state.offset === 0 ? new LoopQueue(context) : new OffsetLoopQueue(context)),
  resize: async ({ files, names, options, integrity, from, bytes, ...how }) => {
    const parsed = parseLoopOptions(options);
    requireWithinLimit(parsed, bytes);
    const needed = [parsed.offset + bytes, metadataBytes(bytes, integrity)];
    const requests = files.map((path, index) => ({ path, name: names[index] ?? path, bytes: needed[index] ?? 0 }));
    await makeRoom(requests, how);
    const [, metadata] = requests;
    if (metadata !== undefined && !parsed.readOnly) await extend(metadata, metadataBytes(from, integrity), how.signal);
  },
};

/** Makes metadata for the blocks that the device gets, before it has them. There is none in a file that cannot be written. */
async function extend({ path, name, bytes }: RoomRequest, from: number, signal?: AbortSignal): Promise<void> {
  if (bytes <= from) return;
  const calls = new BackingCalls(path, { caller: 'process', name, signal });
  const fd = await calls.open(constants.O_WRONLY).catch((error: NodeJS.ErrnoException) => {
    if (['EROFS', 'EACCES', 'EPERM'].includes(error.code ?? '')) return null;
    throw error;
  });
  if (fd === null) return;
  try {
    await initialiseMetadata({ calls, fd }, from, bytes);
  } finally {
    await calls.close(fd);
  }
}

async function open(request: OpenRequest): Promise<Opened<LoopState>> {
  // Metadata is a few bytes per block. Direct I/O cannot write so little, so its file goes through the page cache.
  const options = parseLoopOptions(request.options);
  const { buffered, readOnly } = options;
  const direct = (index: number): boolean => index === 0 && !buffered;
  const files = await openBackingFiles(request.files, { ...request, direct, readOnly });
  try {
    const [file, metadata] = files as [BackingFile, BackingFile?];
    const data = partOf(file, options);
    const sectors = loopSectors(data, metadata, request.integrity);
    const { integrity, deviceBytes } = request;
    requireRoom(data.path, data.bytes, deviceBytes);
    if (metadata !== undefined) requireRoom(metadata.path, metadata.bytes, metadataBytes(deviceBytes, integrity));
    if (metadata !== undefined && integrity !== null && !request.recovering && !metadata.readOnly) {
      await initialiseMetadata(metadata, 0, sectors * integrity.metadataSize);
    }
    const params = loopParams(request, data, sectors);
    return {
      params,
      files: files.map((file) => file.fd),
      state: { holes: data.holes, offset: options.offset },
      operations: 2,
      notes: [
        ...files.flatMap((file) => file.notes),
        ...unusedEnd(data.path, data.bytes, 'blocks', 2 ** data.alignment.blockShift),
      ],
      close: () => closeBackingFiles(files),
    };
  } catch (error) {
    await closeUnused(files);
    throw error;
  }
}
