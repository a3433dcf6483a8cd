/** The kernel's selftests for ublk, as the guest has them. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { recipe } from '../../src/lab/recipe.ts';
import type { Program } from './result.ts';

const FOLDERS: Readonly<Record<Program, string>> = { kublk: recipe.kublkRoot, ublkts: '/opt/kublk-is-ublkts' };

/** Returns the folder of a suite that runs this program. The suite calls whatever is named `kublk` in its folder. */
export function suiteOf(program: Program): string {
  const folder = FOLDERS[program];
  if (program === 'ublkts') {
    cpSync(recipe.kublkRoot, folder, { recursive: true });
    const kublk = path.join(folder, 'kublk');
    rmSync(kublk);
    // kublk takes no locks, and generic_08 makes a second device of a file that another one still has.
    writeFileSync(kublk, '#!/bin/sh\nUBLKTS_SHARE=1 exec ublkts "$@"\n');
    chmodSync(kublk, 0o755);
  }
  return folder;
}

/** Names without `test_` and `.sh`, in the order of the Makefile. */
export function listTests(): string[] {
  const makefile = readFileSync(path.join(recipe.kublkRoot, 'Makefile'), 'utf8');
  return [...makefile.matchAll(/^TEST_PROGS\s*[+:]?=\s*test_(\w+)\.sh\s*$/gm)].map(([, name]) => name ?? '');
}

/** Seconds that the suite allows a test on real hardware. */
export function timeoutOfSuite(): number {
  const settings = readFileSync(path.join(recipe.kublkRoot, 'settings'), 'utf8');
  return Number(/^timeout=(\d+)$/m.exec(settings)?.[1] ?? 45);
}

/** Deletes every device, whoever made it. */
export function deleteAllDevices(): void {
  execFileSync('ublkts', ['del', '-a'], { stdio: 'ignore', timeout: 120_000 });
}
