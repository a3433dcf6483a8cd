/**
 * Keeps a device's files from whoever deletes the device that had its id before. The kernel gives an id to the next device
 * as soon as the last one is gone; without this, the process that then removes the old files may remove the new ones.
 */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../clock.ts';
import { UblkError } from '../errors.ts';
import { tryFlock } from '../native/libc/file-lock.ts';
import { makeRunDirectories, RUN_DIRECTORY } from './files.ts';

/** Others make or remove a few small files. One that takes longer has been stopped. */
const OTHERS_MS = 5_000;
const RETRY_MS = 20;

/**
 * Runs `act` while no other process makes or removes the files of a device. Others wait, so `act` must be short. Throws a
 * UblkError of kind `busy` when another process does not finish within 5 s.
 */
export async function withFilesAlone<T>(act: () => T): Promise<T> {
  const deadline = milliseconds() + OTHERS_MS;
  for (;;) {
    const done = tryFilesAlone(act);
    if (done !== null) return done.value;
    if (milliseconds() > deadline) throw filesBusy();
    await sleep(RETRY_MS);
  }
}

/** Does the same without waiting. Returns null, without running `act`, while another process holds the lock. */
export function tryFilesAlone<T>(act: () => T): { readonly value: T } | null {
  makeRunDirectories();
  const fd = openSync(RUN_DIRECTORY, 'r');
  try {
    return tryFlock(fd) ? { value: act() } : null;
  } finally {
    closeSync(fd);
  }
}

function filesBusy(): UblkError {
  return new UblkError(`another process has had ${RUN_DIRECTORY} locked for ${OTHERS_MS / 1000} s`, {
    code: 'EBUSY',
    kind: 'busy',
    command: 'flock',
    hint: '`lslocks` names it; `kill -CONT PID` if it is stopped',
  });
}
