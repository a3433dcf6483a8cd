/**
 * Waits for the server of a device that is stopped or gone to have closed the target. The kernel has ended the block device
 * before that, but a program of the device may still store what it holds, and whoever has stopped the device may use the
 * image at once.
 */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { type WaitOptions, waitingReporter } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { lockHolder } from '../../native/libc/file-lock.ts';
import { CLOSE_SECONDS } from '../../targets/close-limit.ts';
import { filesOf, residentFiles } from '../../record/files.ts';
import { describePause, describeThaw, isPaused } from '../../record/paused.ts';
import type { ProcessState } from '../../record/process-state.ts';
import { type ServerIdentity, serverState } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';

/** A target is given up by its server first, which then says what may be lost. */
export const TARGET_CLOSES_MS = (CLOSE_SECONDS + 10) * 1000;
/** A wait that is shorter than about four times this is not reported. */
const SOON_MS = 25;
const LONGEST_PAUSE_MS = 50;
/** A server that is paused does not go on by itself. */
const PAUSED_MS = 2_000;

/** What has been done to the device, and by which command of the driver. */
export type Ended = { readonly done: 'stopped' | 'deleted'; readonly command: 'STOP_DEV' | 'DEL_DEV' };

/**
 * The target of a device that is being stopped or deleted. The server keeps its lock on the device until it has closed the
 * target. The file of the lock may be removed before that, so this is made before the device is stopped.
 */
export class ClosingTarget {
  readonly #id: number;
  readonly #fd: number | null;
  readonly #isReplaced: () => boolean;

  /** `isReplaced`: whether a new device has the id, whose server takes the lock when this one has released it. */
  constructor(id: number, isReplaced: () => boolean) {
    this.#id = id;
    this.#fd = openIfThere(filesOf(id).lock);
    this.#isReplaced = isReplaced;
  }

  /**
   * The device has ended, and `server` was its server. Resolves to the error of a target that could not be closed, or to
   * null. Throws a UblkError of kind `busy` when the server takes too long.
   */
  async untilClosed(server: ServerIdentity, ended: Ended, options: WaitOptions): Promise<UblkError | null> {
    const { signal, onWaiting, timeoutMs = TARGET_CLOSES_MS } = options;
    const report = waitingReporter(onWaiting);
    const begun = milliseconds();
    for (let pause = 1; this.#isHeld(); pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted();
      if (pause > SOON_MS) report(`waiting for the server (pid ${server.pid}) to close the target`);
      const state = serverState(server);
      const bound = isPaused(state) ? Math.min(PAUSED_MS, timeoutMs) : timeoutMs;
      if (milliseconds() - begun > bound) throw stillOpen(this.#id, ended, server, state);
      await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
    const end = this.#isReplaced() ? null : (readRecord(this.#id)?.ended ?? null);
    return end?.reason === 'stopped' && end.message !== null ? unstored(this.#id, ended, end.message) : null;
  }

  /** To be called when nobody waits any more. */
  release(): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }

  #isHeld(): boolean {
    return this.#fd !== null && lockHolder(this.#fd) !== null && !this.#isReplaced();
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}

/** The server has said so in the device's record. */
function unstored(device: number, { done }: Ended, message: string): UblkError {
  return new UblkError(`device ${device} is ${done}, but ${message}`, { code: 'EIO', kind: 'failed', device });
}

function stillOpen(device: number, { done, command }: Ended, server: ServerIdentity, state: ProcessState): UblkError {
  const { pid } = server;
  const who = isPaused(state) ? `its server (pid ${pid}) ${describePause(state)} and` : `its server (pid ${pid})`;
  return new UblkError(
    `device ${device} is ${done}, but ${who} has not closed the target yet, and may still use its files`,
    {
      code: 'TIMEOUT',
      kind: 'busy',
      device,
      command,
      hint: isPaused(state) ? describeThaw(pid, state) : ending(device, server),
    },
  );
}

/** The hint about a server that takes long to close a target. Killing it loses what the target has not stored. */
export function ending(device: number, { pid, resident }: ServerIdentity): string {
  return resident === undefined
    ? `see ${filesOf(device).log}; \`kill -9 ${pid}\` ends the server, and what the target has not stored is lost`
    : `see ${residentFiles(resident).log}; process ${pid} is the resident server ${resident}: if it is killed, all its devices lose their server`;
}
