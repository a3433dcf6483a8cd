/** Three threads meet, and then each makes, for the first time, the calls that a queue thread begins with. */
import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { eventfd, getAffinity, gettid, setAffinity, setIoFlusher, setThreadName } from '../../src/native/libc/calls.ts';
import { createMemfd, mapAnonymous, mapFile } from '../../src/native/memory.ts';
import { isReadOnly } from '../../src/native/libc/seals.ts';

const THREADS = 3;

function calls(): void {
  setThreadName('together');
  setIoFlusher(true);
  setAffinity(getAffinity());
  const fd = createMemfd('together', 4096);
  const memory = mapFile(fd, 4096, 'of a test');
  memory.bytes[0] = 1;
  memory.unmap();
  mapAnonymous(4096, 'of a test').unmap();
  if (gettid() <= 0 || eventfd() < 0 || isReadOnly(fd)) throw new Error('a call is wrong');
}

if (isMainThread) {
  gettid();
  const met = new Int32Array(new SharedArrayBuffer(4));
  const start = () => new Worker(new URL(import.meta.url), { workerData: met });
  Array.from({ length: THREADS }, start);
} else {
  const met = workerData as Int32Array;
  Atomics.add(met, 0, 1);
  while (Atomics.load(met, 0) < THREADS);
  calls();
  writeSync(1, 'ok\n');
}
