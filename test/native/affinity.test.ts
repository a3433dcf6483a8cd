/** The CPUs of a thread are set by another one, by its id. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpusOfMask, getAffinity, gettid, setAffinity } from '../../src/native/libc/calls.ts';
import { ERRNO } from '../../src/native/uapi/errno.ts';

test('the CPUs of a thread are set and read back by its id', () => {
  const before = getAffinity();
  const one = before.slice(-1);
  try {
    assert.equal(setAffinity(one, gettid()), 0);
    assert.deepEqual([getAffinity(gettid()), getAffinity()], [one, one]);
  } finally {
    setAffinity(before);
  }
  assert.deepEqual(getAffinity(), before);
  // No thread has the largest id of all.
  assert.equal(setAffinity(one, 0x7fffffff), ERRNO.ESRCH);
  assert.deepEqual(getAffinity(0x7fffffff), []);
});

test('a mask tells the CPUs of its bits, also beyond those of a cpu_set_t', () => {
  const mask = new Uint8Array(512);
  mask.set([0b1000_0001, 0, 0, 0b1000_0000]);
  mask[128] = 1;
  mask[511] = 0b1000_0000;
  assert.deepEqual(cpusOfMask(mask), [0, 7, 31, 1024, 4095]);
});
