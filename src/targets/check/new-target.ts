/** Writes the file that a target of one's own begins with, and a test beside it. */
import { rmSync, writeFileSync } from 'node:fs';
import { UblkError, usageError } from '../../errors.ts';
import { textOfCode } from '../../native/uapi/errno.ts';
import { packageTypeOf } from '../load/package-type.ts';

export interface NewTarget {
  /** The names of the files, which are in the current directory. */
  readonly file: string;
  readonly test: string;
}

/** A name that stands in TypeScript and on a command line as it is. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u;

/** Throws a UblkError when one of the files is there already; then neither is written. */
export function writeNewTarget(name: string, isAsync: boolean): NewTarget {
  if (!NAME.test(name)) {
    throw usageError(
      `${JSON.stringify(name)} cannot be the name of a target's file`,
      'a name is made of letters, digits, dots, dashes and underscores; the file is written into the current directory',
    );
  }
  const file = /\.m?ts$/.test(name) ? name : `${name}.${ending()}`;
  const test = file.replace(/\.(m?ts)$/, '.test.$1');
  write(file, isAsync ? ASYNC : SYNC);
  try {
    write(test, isAsync ? asyncTest(file) : syncTest(file));
  } catch (error) {
    rmSync(file);
    throw error;
  }
  return { file, test };
}

/** In a project of CommonJS, as `npm init` makes it, a file of TypeScript is an ES module only if it ends in .mts. */
function ending(): string {
  return packageTypeOf(process.cwd())?.type === 'commonjs' ? 'mts' : 'ts';
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    const [why, hint] =
      code === 'EEXIST'
        ? ['it is there already', 'choose another name']
        : [
            textOfCode(code),
            code === 'ENAMETOOLONG' ? 'choose a shorter name' : 'run it in a directory that you can write to',
          ];
    throw new UblkError(`cannot write ${file}: ${why}`, { code, command: 'open', hint });
  }
}

const SYNC = `import { defineTarget, size } from 'ublkts/target';

export default defineTarget({
  summary: 'a disk in memory',
  // Given as -o size=2G, and shown by \`ublkts add -t FILE --help\`.
  options: { size: size({ default: '1G', multipleOf: 512, summary: 'how large the disk is' }) },

  // Runs when the device is made, and again when it is recovered. What it throws, \`ublkts add\` shows.
  open({ options }) {
    const disk = Buffer.alloc(options.size);
    return {
      size: options.size,
      // Fill all of \`buffer\`. It is yours until you return.
      read(buffer, offset) {
        disk.copy(buffer, 0, offset, offset + buffer.length);
      },
      // Without \`flush\` below, the data must be durable when this returns.
      write(buffer, offset) {
        disk.set(buffer, offset);
      },
      // Leave a function out, and the kernel does not offer it.
      discard(offset, length) {
        disk.fill(0, offset, offset + length);
      },
    };
  },
});
`;

const ASYNC = `import { open } from 'node:fs/promises';
import { BlockError, defineTarget, sizeOfFile } from 'ublkts/target';

export default defineTarget({
  summary: 'a disk in a file',
  // Named after the options: ublkts add -t FILE disk.img. No second device gets a backing file that is in use.
  files: { min: 1, max: 1 },

  // Runs when the device is made, and again when it is recovered. What it throws, \`ublkts add\` shows.
  async open({ files: [image = ''] }) {
    const file = await open(image, 'r+');
    // Of a file or a block device.
    const size = sizeOfFile(file.fd);
    return {
      size: size - (size % 512),
      // Fill all of \`buffer\`. It is yours until the promise settles. Many requests are under way at once.
      read: (buffer, offset) => whole(buffer, (part, at) => file.read(part, 0, part.length, offset + at).then((r) => r.bytesRead)),
      // With \`flush\` below, a write may be in a cache until then, but not one with \`fua\`.
      async write(buffer, offset, { fua }) {
        await whole(buffer, (part, at) => file.write(part, 0, part.length, offset + at).then((r) => r.bytesWritten));
        if (fua) await file.datasync();
      },
      flush: () => file.datasync(),
      close: () => file.close(),
    };
  },
});

/** A read or a write may do less than it was asked for: the rest is asked for again. */
async function whole(buffer: Buffer, some: (part: Buffer, at: number) => Promise<number>): Promise<void> {
  for (let at = 0; at < buffer.length; ) {
    const done = await some(buffer.subarray(at), at);
    // The client of the device gets this error: ENOSPC, EIO, ETIMEDOUT and a few more reach it by name.
    if (done === 0) throw new BlockError('EIO', 'the file has become shorter');
    at += done;
  }
}
`;

const syncTest = (file: string): string => `// Run it with: node --test
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

// \`ublkts target check\` calls the handlers as a server does, and needs neither a kernel with ublk nor root.
test('${file} does what a block device must do', () => {
  const words = ['target', 'check', './${file}', '-o', 'size=64M'];
  const { status, error, stdout, stderr } = spawnSync('ublkts', words, { cwd: import.meta.dirname, encoding: 'utf8' });
  assert.equal(status, 0, error?.message ?? stdout + stderr);
});
`;

const asyncTest = (file: string): string => `// Run it with: node --test
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

// \`ublkts target check\` calls the handlers as a server does, and needs neither a kernel with ublk nor root.
test('${file} does what a block device must do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'disk-'));
  const image = join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, 64 << 20);
  const words = ['target', 'check', './${file}', image];
  const { status, error, stdout, stderr } = spawnSync('ublkts', words, { cwd: import.meta.dirname, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(status, 0, error?.message ?? stdout + stderr);
});
`;
