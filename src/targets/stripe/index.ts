/** The target `stripe`: 1 to 32 files or block devices as one device, with chunks in each of them in turn (RAID 0). */
import type { BuiltInTarget, Opened, OpenRequest } from '../target.ts';
import { closeBackingFiles, closeUnused, openBackingFiles } from '../backing-files.ts';
import { commonHoles } from '../holes.ts';
import { requireNoIntegrity } from '../integrity.ts';
import { chunkSizeOf, MAX_FILES } from './options.ts';
import { makeRoom, requireRoom } from '../room.ts';
import { neededPerFile, stripeParams } from './params.ts';
import { StripeQueue, type StripeState } from './queue.ts';
import { unusedEnd } from '../unused-end.ts';

export const stripeTarget: BuiltInTarget<StripeState> = {
  name: 'stripe',
  summary: 'several files or block devices, with a chunk of data in each of them in turn (RAID 0)',
  options: { chunk_size: 'bytes in one file before the next file follows, a power of 2 from 4K to 512K (default 64K)' },
  files: { min: 1, max: MAX_FILES },
  prefers: ['auto_zc'],
  namespaces: () => [],
  check: ({ options, integrity }) => {
    requireNoIntegrity('stripe', integrity);
    chunkSizeOf(options);
  },
  open,
  queue: (context) => new StripeQueue(context),
  resize: async ({ files, names, options, bytes, ...how }) => {
    const needed = neededPerFile(bytes, files.length, chunkSizeOf(options));
    const requests = files.map((path, index) => ({ path, name: names[index] ?? path, bytes: needed }));
    await makeRoom(requests, how);
  },
};

async function open(request: OpenRequest): Promise<Opened<StripeState>> {
  const chunk = chunkSizeOf(request.options);
  const files = await openBackingFiles(request.files, { ...request, direct: () => true });
  try {
    const needed = neededPerFile(request.deviceBytes, files.length, chunk);
    for (const file of files) requireRoom(file.path, file.bytes, needed);
    const params = stripeParams(request, files, chunk);
    return {
      params,
      files: files.map((file) => file.fd),
      state: { files: files.length, chunk, holes: commonHoles(files.map((file) => file.holes)) },
      operations: files.length,
      notes: files.flatMap((file) => [...file.notes, ...unusedEnd(file.path, file.bytes, 'chunks', chunk)]),
      close: () => closeBackingFiles(files),
    };
  } catch (error) {
    await closeUnused(files);
    throw error;
  }
}
