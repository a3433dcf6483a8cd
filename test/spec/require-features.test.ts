import assert from 'node:assert/strict';
import test from 'node:test';
import { requireFeatures } from '../../src/spec/require-features.ts';
import { UBLK_F_BATCH_IO, UBLK_F_SHMEM_ZC, UBLK_F_USER_COPY } from '../../src/native/uapi/ublk-features.ts';

test('a kernel without shared memory says which one has it', () => {
  assert.throws(() => requireFeatures(['USER_COPY', 'SHMEM_ZC'], UBLK_F_USER_COPY | UBLK_F_BATCH_IO), {
    message: "this kernel's ublk driver has no UBLK_F_SHMEM_ZC",
    hint: 'it is in Linux 7.1 and newer; `ublkts features` shows what is here',
    kind: 'unsupported',
    code: 'EOPNOTSUPP',
  });
});

test('what the kernel has is not refused', () => {
  requireFeatures([], 0n);
  requireFeatures(['SHMEM_ZC', 'BATCH_IO'], UBLK_F_SHMEM_ZC | UBLK_F_BATCH_IO);
});
