/**
 * Watches descriptors on the event loop of this thread: Node has no function for descriptors of other kinds than its
 * own. libuv waits in one epoll for all that a loop watches. The descriptors are put into that epoll beside libuv's own,
 * under the name of a pipe that the loop watches: an event of theirs then ends the loop's wait, libuv looks at the pipe,
 * finds nothing there, and goes on to what else the turn has to do. docs/decisions/0017 says why.
 *
 * Which of this process's epolls is the loop's, /proc tells: the one that watches the pipe.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { UblkError } from '../errors.ts';
import { checked, closeDescriptor, pipe } from './libc/calls.ts';
import { callInt } from './libc/ffi.ts';
import { EPOLLET, EPOLLIN } from './uapi/epoll.ts';

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
/** struct epoll_event, which is packed on x86-64 only. */
const DATA_AT = process.arch === 'x64' ? 4 : 8;
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
/** libuv tells the kernel what it watches when it next waits. */
const TURNS = 10;
const DIRECTORY = '/proc/self/fdinfo';

export class LoopWatch {
  private readonly anchor: Socket;
  private readonly writeEnd: number;
  private readonly epoll: number;
  private readonly fds: readonly number[];
  private next: NodeJS.Immediate | undefined;
  private isClosed = false;

  /**
   * Resolves when the loop wakes for events of `fds`. From then on `turn` is called after each wait of the loop, whatever
   * has ended it, until `close`; the loop waits as long as it would without this, and does not end.
   */
  static async start(fds: readonly number[], turn: () => void): Promise<LoopWatch> {
    const [readEnd, writeEnd] = pipe();
    const anchor = new Socket({ fd: readEnd, readable: true, writable: false });
    anchor.resume();
    try {
      return new LoopWatch(anchor, readEnd, writeEnd, await epollOfLoop(readEnd), fds, turn);
    } catch (error) {
      anchor.destroy();
      closeDescriptor(writeEnd);
      throw error;
    }
  }

  private constructor(
    anchor: Socket,
    readEnd: number,
    writeEnd: number,
    epoll: number,
    fds: readonly number[],
    turn: () => void,
  ) {
    this.anchor = anchor;
    this.writeEnd = writeEnd;
    this.epoll = epoll;
    this.fds = fds;
    const event = new Uint8Array(EVENT_BYTES);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN | EPOLLET, true);
    view.setInt32(DATA_AT, readEnd, true);
    for (const fd of fds) checked('epoll_ctl', 'of the event loop', epoll, EPOLL_CTL_ADD, fd, event);
    // An immediate without a reference does not end the wait of the loop, and runs when something else has.
    const run = (): void => {
      if (this.isClosed) return;
      this.next = setImmediate(run).unref();
      turn();
    };
    this.next = setImmediate(run).unref();
  }

  /** The next turn comes at once. */
  soon(): void {
    this.next?.ref();
  }

  close(): void {
    this.isClosed = true;
    clearImmediate(this.next);
    for (const fd of this.fds) callInt('epoll_ctl', this.epoll, EPOLL_CTL_DEL, fd, 0n);
    this.anchor.destroy();
    closeDescriptor(this.writeEnd);
  }
}

/** The epoll of this thread's loop, which watches `fd` or is about to. */
async function epollOfLoop(fd: number): Promise<number> {
  for (let tries = 0; tries < TURNS; tries++) {
    await new Promise((resolve) => setImmediate(resolve));
    const epoll = epollThatWatches(fd);
    if (epoll !== null) return epoll;
  }
  throw new UblkError(`the event loop of this thread was not found in ${DIRECTORY}`, {
    code: 'ENOENT',
    kind: 'unsupported',
    command: 'epoll_ctl',
    hint: 'a server needs /proc of its own pid namespace',
  });
}

function epollThatWatches(fd: number): number | null {
  const watches = new RegExp(String.raw`^tfd:\s+${fd}\s`, 'm');
  for (const name of readdirSync(DIRECTORY)) {
    try {
      if (watches.test(readFileSync(`${DIRECTORY}/${name}`, 'latin1'))) return Number(name);
    } catch {
      // It was closed meanwhile.
    }
  }
  return null;
}
