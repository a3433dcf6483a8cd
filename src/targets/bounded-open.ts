/**
 * Opens files that may not answer: a disk that hangs, a file system whose server is gone, a block device whose partitions
 * are being read. In a resident server the calls are made on threads of libuv's pool, so that they hold up the device that
 * wants the file, and no other. In a server of one device this thread makes them: a pool is four threads more.
 */
import { type BigIntStats, close, open, openSync, type PathLike, stat, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { bounded, DEFAULT_TIMEOUT_MS } from '../control/waiting.ts';
import { UblkError } from '../errors.ts';

const statFile: (path: PathLike, options: { bigint: true }) => Promise<BigIntStats> = promisify(stat);
const openFile = promisify(open);

/**
 * The files of calls that were given up and have not returned. No further call is made for such a file: however often it is
 * asked for, it takes no more threads of the pool.
 */
const hanging = new Set<string>();

interface Caller {
  readonly resident: boolean;
}

/** Throws the errors of stat(2), or in a resident server a UblkError of kind `busy` when there is no answer for 30 s. */
export async function boundedStat(path: string, { resident }: Caller): Promise<BigIntStats> {
  if (!resident) return statSync(path, { bigint: true });
  return answered(path, 'stat', () => statFile(path, { bigint: true }));
}

/** Throws the errors of open(2), or in a resident server a UblkError of kind `busy` when there is no answer for 30 s. */
export async function boundedOpen(path: string, flags: number, { resident }: Caller): Promise<number> {
  if (!resident) return openSync(path, flags);
  let isWanted = true;
  try {
    return await answered(path, 'open', async () => {
      const fd = await openFile(path, flags);
      // It may be opened long after nobody waits for it any more.
      if (!isWanted) close(fd);
      return fd;
    });
  } catch (error) {
    isWanted = false;
    throw error;
  }
}

/** `call` makes the call on a thread of the pool. */
function answered<T>(path: string, command: string, call: () => Promise<T>): Promise<T> {
  if (hanging.has(path)) throw late(path, command);
  const answer = call();
  const giveUp = (): UblkError => {
    hanging.add(path);
    void answer.catch(() => {}).finally(() => hanging.delete(path));
    return late(path, command);
  };
  return bounded(answer, { timeoutMs: DEFAULT_TIMEOUT_MS, late: giveUp });
}

function late(path: string, command: string): UblkError {
  return new UblkError(
    `cannot use backing file ${path}: ${command} has not answered for ${DEFAULT_TIMEOUT_MS / 1000} s`,
    {
      code: 'TIMEOUT',
      kind: 'busy',
      command,
      hint: 'its disk or file system hangs, or another program is reading its partitions: see `dmesg`, and try again',
    },
  );
}
