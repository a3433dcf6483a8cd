/**
 * Waits for the server of a device that is gone to have closed the target. The kernel gives the id back before that, but
 * a program of the device may still store what it holds, and whoever has deleted the device may use the image at once.
 */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../clock.ts';
import { DEFAULT_TIMEOUT_MS, type WaitOptions, waitingReporter } from '../control/waiting.ts';
import { UblkError } from '../errors.ts';
import { lockHolder } from '../native/libc/file-lock.ts';
import { filesOf } from '../record/files.ts';
import { readGoingDevice } from '../record/going-device.ts';
import { readRecord } from '../record/store.ts';

/** A wait that is shorter than about four times this is not reported. */
const SOON_MS = 25;
const LONGEST_PAUSE_MS = 50;

/**
 * The target of a device that is being deleted. The server keeps its lock on the device until it has closed the target. The
 * file of the lock may be removed before that, so this is made before the device is stopped.
 */
export class ClosingTarget {
  readonly #id: number;
  readonly #fd: number | null;

  constructor(id: number) {
    this.#id = id;
    this.#fd = openIfThere(filesOf(id).lock);
  }

  /** The device is gone, and `pid` was its server. Throws a UblkError of kind `busy` when the server takes too long. */
  async untilClosed(pid: number, options: WaitOptions): Promise<void> {
    const { signal, onWaiting, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const report = waitingReporter(onWaiting);
    const begun = milliseconds();
    for (let pause = 1; this.#isHeld(); pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted();
      if (pause > SOON_MS) report(`waiting for the server (pid ${pid}) to close the target`);
      if (milliseconds() - begun > timeoutMs) throw stillOpen(this.#id, pid);
      await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }

  /** To be called when nobody waits any more. */
  release(): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }

  #isHeld(): boolean {
    return this.#fd !== null && lockHolder(this.#fd) !== null && !isReplaced(this.#id);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}

/** Whether a new device has the id, whose server takes the lock when this one has released it. */
function isReplaced(id: number): boolean {
  return readRecord(id) !== null && readGoingDevice(id) === null;
}

function stillOpen(device: number, pid: number): UblkError {
  return new UblkError(
    `device ${device} is deleted, but its server (pid ${pid}) has not closed the target yet, and may still use its files`,
    {
      code: 'TIMEOUT',
      kind: 'busy',
      device,
      command: 'DEL_DEV',
      hint: `wait until process ${pid} has ended, or \`kill -9 ${pid}\``,
    },
  );
}
