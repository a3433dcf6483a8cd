/** Reads what the kernel logs while a test runs. */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';

/** Matches the kernel's complaints about itself. An I/O error is not one. */
const COMPLAINT = /WARNING:|BUG:|\bOops\b|general protection fault|blocked for more than|refcount_t:|UBSAN:|KASAN:/;

/** Marks a place in the kernel's log. */
export class KernelLog {
  readonly #mark = `ublkts: mark ${process.pid}.${process.hrtime.bigint()}`;

  constructor() {
    appendFileSync('/dev/kmsg', `${this.#mark}\n`);
  }

  /** Everything that was logged since the mark. */
  lines(): string[] {
    const all = execFileSync('dmesg', ['--notime'], { encoding: 'utf8', maxBuffer: 1 << 26 })
      .trimEnd()
      .split('\n');
    return all.slice(all.findIndex((line) => line.includes(this.#mark)) + 1);
  }

  complaints(): string[] {
    return this.lines().filter((line) => COMPLAINT.test(line));
  }
}
