/** Finds what must not exist when there are no devices. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const DIRECTORIES = ['/run/ublkts', '/run/ublkts/unfinished', '/run/ublk'];
/** They belong to no device. */
const KEPT = ['/run/ublkts/exports.lock', '/run/ublkts/recover.lock'];

/** Returns the ids of the devices that exist, whoever serves them. */
export function deviceIds(): number[] {
  return list('/sys/class/ublk-char').map((name) => Number(name.replace('ublkc', '')));
}

/** Returns the processes that serve devices of ublkts. */
export function serverPids(): number[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandLine(pid).some((word) => /\/dist\/server\/(?:resident\/)?main\.cjs$/.test(word)))
    .map(Number);
}

/** Returns the files in the directories of ublkts and kublk. */
export function runFiles(): string[] {
  const found = DIRECTORIES.flatMap((directory) => list(directory).map((name) => `${directory}/${name}`));
  return found.filter((path) => !DIRECTORIES.includes(path) && !KEPT.includes(path));
}

/** Returns what is left of devices, in words. It waits a little, because a server ends a moment after its device. */
export async function leftovers(patienceMs = 5000): Promise<string[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const found = [
      ...deviceIds().map((id) => `device ${id}`),
      ...serverPids().map((pid) => `server process ${pid}`),
      ...runFiles().map((file) => `file ${file}`),
    ];
    if (found.length === 0 || Date.now() > deadline) return found;
    await delay(50);
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
