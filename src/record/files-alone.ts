/**
 * Keeps a device's files from whoever deletes the device that had its id before. The kernel gives an id to the next device
 * as soon as the last one is gone; without this, the process that then removes the old files may remove the new ones.
 */
import { closeSync, openSync } from 'node:fs';
import { lockAndWait } from '../native/libc/file-lock.ts';
import { makeRunDirectories, RUN_DIRECTORY } from './files.ts';

/** Runs `act` while no other process makes or removes the files of a device. Others wait, so `act` must be short. */
export function withFilesAlone<T>(act: () => T): T {
  makeRunDirectories();
  const fd = openSync(RUN_DIRECTORY, 'r');
  try {
    lockAndWait(fd);
    return act();
  } finally {
    closeSync(fd);
  }
}
