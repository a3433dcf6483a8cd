/** Memory pressure: a guest that has nothing left to give for a while. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a program leaves that takes the rest. An emulated guest takes 5 s for each GB. */
const LEFT_MB = 96;

/** The program is the first that the kernel ends when it took too much. */
export async function fillMemory(milliseconds: number): Promise<void> {
  const program = `
    const { readFileSync } = require('node:fs');
    const available = () => Number(/MemAvailable:\\s+(\\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))[1]);
    const held = [];
    while (available() > ${LEFT_MB * 1024}) held.push(Buffer.alloc(16 << 20, 1));
    setTimeout(() => process.exit(0), ${milliseconds});`;
  const child = spawn('choom', ['--adjust', '1000', '--', process.execPath, '-e', program], { stdio: 'ignore' });
  await once(child, 'exit');
}
