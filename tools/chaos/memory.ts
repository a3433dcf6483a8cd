/** Memory pressure: a guest that has nothing left to give for a while. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withLittleMemory } from '../guest/little-memory.ts';

/** What is left to the program that fills the rest. An emulated guest fills 100 MB in a second or more. */
const TO_FILL_MB = 240;
const LEFT_MB = 96;

/** A program takes what is left but a little, and it is the first that the kernel ends when that was too much. */
export function fillMemory(milliseconds: number): Promise<void> {
  return withLittleMemory(TO_FILL_MB, async () => {
    const program = `
      const { readFileSync } = require('node:fs');
      const available = () => Number(/MemAvailable:\\s+(\\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))[1]);
      const held = [];
      while (available() > ${LEFT_MB * 1024}) held.push(Buffer.alloc(16 << 20, 1));
      setTimeout(() => process.exit(0), ${milliseconds});`;
    const child = spawn('choom', ['--adjust', '1000', '--', process.execPath, '-e', program], { stdio: 'ignore' });
    await once(child, 'exit');
  });
}
