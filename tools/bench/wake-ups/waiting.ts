/** A disk with a few blocks that wait for ever, each for something else; the other blocks answer at once. */
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { defineTarget, path } from 'ublkts/target';

const BLOCK = 4096;
/** The first of the blocks that wait: one for a timer, a socket, a worker's message, a file read. udev reads none of them. */
export const FIRST_WAITING = 7 * 256;
export const WAITING = 4;

const HOUR_MS = 3_600_000;
/** A worker that lives and says nothing. */
const SILENT = "require('node:worker_threads').parentPort.on('message', () => {});";

export default defineTarget({
  summary: 'blocks that wait for ever, each for something else',
  options: { fifo: path({ required: true, summary: 'a named pipe that nobody writes to' }) },
  async open({ options }) {
    const worker = new Worker(SILENT, { eval: true });
    await once(worker, 'online');
    const server = createServer(() => {}).listen(`\0waiting-${process.pid}`);
    await once(server, 'listening');
    const socket = connect(`\0waiting-${process.pid}`);
    await once(socket, 'connect');
    // For reading alone, the open itself would wait for somebody who writes.
    const fifo: FileHandle = await open(options.fifo, 'r+');
    const waits: readonly (() => Promise<unknown>)[] = [
      () => new Promise((resolve) => setTimeout(resolve, HOUR_MS)),
      () => once(socket, 'data'),
      () => once(worker, 'message'),
      () => fifo.read(Buffer.alloc(BLOCK), 0, BLOCK),
    ];
    return {
      size: 16 << 20,
      async read(buffer, offset) {
        await waits[offset / BLOCK - FIRST_WAITING]?.();
        buffer.fill(0);
      },
    };
  },
});
