/** `loop`: a file or block device as the device, past the page cache. With `--metadata_size` a second file holds the metadata. */
import type { OpenRequest, Opened, TargetType } from '../target.ts';
import { type BackingFile, closeBackingFiles, openBackingFile, requireDistinct } from '../backing-files.ts';
import { initialiseMetadata } from './metadata.ts';
import { loopParams, loopSectors } from './params.ts';
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
};

function open(request: OpenRequest): Opened<LoopState> {
  const files: BackingFile[] = [];
  try {
    // Metadata is a few bytes a block: only the page cache can write that.
    for (const [index, path] of request.files.entries()) files.push(openBackingFile(path, { direct: index === 0 }));
    requireDistinct(files);
    const [data, metadata] = files as [BackingFile, BackingFile?];
    const sectors = loopSectors(data, metadata, request.integrity);
    const { integrity } = request;
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
