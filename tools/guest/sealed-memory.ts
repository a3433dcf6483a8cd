/** Memory that every target can share. Nobody can cut it short, so targets that read its bytes themselves accept it too. */
import { fill, mapAligned } from '../../src/native/huge-pages.ts';
import { closeDescriptor } from '../../src/native/libc/calls.ts';
import { addSeals } from '../../src/native/libc/seals.ts';
import { createMemfd } from '../../src/native/memory.ts';
import { F_SEAL_SHRINK } from '../../src/native/uapi/fcntl.ts';

export interface SealedMemory {
  /** Where fio maps it and a server finds it, while this process holds it. */
  readonly path: string;
  readonly release: () => void;
}

export async function sealedMemory(bytes: number): Promise<SealedMemory> {
  const fd = createMemfd('sealed', bytes);
  addSeals(fd, F_SEAL_SHRINK, 'a memfd');
  const memory = mapAligned(fd, bytes, 'of a memfd', {});
  await fill(memory, { readOnly: false, inHugePages: true });
  return {
    path: `/proc/${process.pid}/fd/${fd}`,
    release: () => {
      memory.unmap();
      closeDescriptor(fd);
    },
  };
}
