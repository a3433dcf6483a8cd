/** Memory pressure: a guest that has nothing left to give for a while. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';

const HUGE_PAGES = '/proc/sys/vm/nr_hugepages';
const HUGE_PAGE_MB = 2;
/** What huge pages leave to the program that fills the rest. An emulated guest fills 100 MB in a second or more. */
const TO_FILL_MB = 320;
const LEFT_MB = 96;

/**
 * Huge pages take most of the memory, because nothing has to write them. A program takes what is left but a little, and it
 * is the first that the kernel ends when that was too much.
 */
export async function fillMemory(milliseconds: number): Promise<void> {
  const before = readFileSync(HUGE_PAGES, 'utf8');
  const spare = Math.max(0, availableMb() - TO_FILL_MB);
  writeFileSync(HUGE_PAGES, String(Number(before) + Math.floor(spare / HUGE_PAGE_MB)));
  try {
    const program = `
      const { readFileSync } = require('node:fs');
      const available = () => Number(/MemAvailable:\\s+(\\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))[1]);
      const held = [];
      while (available() > ${LEFT_MB * 1024}) held.push(Buffer.alloc(16 << 20, 1));
      setTimeout(() => process.exit(0), ${milliseconds});`;
    const child = spawn('choom', ['--adjust', '1000', '--', process.execPath, '-e', program], { stdio: 'ignore' });
    await once(child, 'exit');
  } finally {
    writeFileSync(HUGE_PAGES, before);
  }
}

function availableMb(): number {
  return Number(/MemAvailable:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;
}
