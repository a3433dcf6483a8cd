/**
 * The target `loop`: serves one file or block device with direct I/O. With integrity, a second file holds the metadata.
 */
import type { OpenRequest, Opened, TargetType } from '../target.ts';
import { type BackingFile, closeBackingFiles, openBackingFiles } from '../backing-files.ts';
import { makeRoom, requireRoom } from '../room.ts';
import { initialiseMetadata } from './metadata.ts';
import { loopParams, loopSectors, metadataBytes } from './params.ts';
import { LoopQueue, type LoopState } from './queue.ts';

export const loopTarget: TargetType<LoopState> = {
  name: 'loop',
  summary: 'a file or block device',
  options: {},
  files: { min: 1, max: 1 },
  prefers: ['auto_zc'],
  refuses: () => null,
  open,
  queue: (context) => new LoopQueue(context),
  resize: ({ files, names, integrity, bytes, grow }) => {
    const needed = [bytes, metadataBytes(bytes, integrity)];
    const requests = files.map((path, index) => ({ path, name: names[index] ?? path, bytes: needed[index] ?? 0 }));
    makeRoom(requests, grow);
  },
};

function open(request: OpenRequest): Opened<LoopState> {
  // Metadata is a few bytes per block. Direct I/O cannot write so little, so its file goes through the page cache.
  const files = openBackingFiles(request.files, { ...request, direct: (index) => index === 0 });
  try {
    const [data, metadata] = files as [BackingFile, BackingFile?];
    const sectors = loopSectors(data, metadata, request.integrity);
    const { integrity, deviceBytes } = request;
    for (const file of files)
      requireRoom(file.path, file.bytes, file === data ? deviceBytes : metadataBytes(deviceBytes, integrity));
    if (metadata !== undefined && integrity !== null && !request.recovering && !metadata.readOnly) {
      initialiseMetadata(metadata.fd, sectors * integrity.metadataSize);
    }
    const params = loopParams(request, data, sectors);
    return {
      params,
      files: files.map((file) => file.fd),
      state: { holes: data.holes },
      operations: 2,
      notes: files.flatMap((file) => file.notes),
      close: () => closeBackingFiles(files),
    };
  } catch (error) {
    closeBackingFiles(files);
    throw error;
  }
}
