/** A thread that makes a ring, registers a file with it, and ends without closing it. */
import { parentPort, workerData } from 'node:worker_threads';
import { Ring } from '../../src/native/ring/ring.ts';

const ring = new Ring(4, 8);
ring.registry.registerFiles([workerData as number]);
parentPort?.postMessage(ring.remains);
