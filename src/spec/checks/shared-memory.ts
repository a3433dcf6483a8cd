import { usageError } from '../../errors.ts';
import type { DeviceSpec } from '../device-spec.ts';
import { option } from '../option-names.ts';

export function checkSharedMemory({ buffers, sharedMemory }: DeviceSpec): void {
  if (buffers.length === 0 || sharedMemory) return;
  const shmem = option('features.SHMEM_ZC');
  throw usageError(['a shared buffer (', option('buffers'), ') requires ', shmem], ['add ', shmem]);
}
