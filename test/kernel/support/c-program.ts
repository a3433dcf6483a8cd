import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recipe } from '../../../src/lab/recipe.ts';

/** The headers of the kernel that runs. What it lacks comes from the C library and its headers of an older kernel. */
const KERNEL_HEADERS = `${recipe.sourceRoot}/include/uapi`;

/** The kernel's build takes __force, a word for its checker, out of the headers that it installs. */
const FLAGS = ['-D_GNU_SOURCE', '-D__force=', '-I', KERNEL_HEADERS];

// <sys/mount.h> declares what <linux/mount.h> defines, so it has to come first.
const INCLUDES = [
  '<errno.h>',
  '<poll.h>',
  '<sched.h>',
  '<stddef.h>',
  '<stdio.h>',
  '<string.h>',
  '<sys/epoll.h>',
  '<sys/mman.h>',
  '<sys/mount.h>',
  '<sys/socket.h>',
  '<net/if.h>',
  '<netinet/in.h>',
  '<netinet/tcp.h>',
  '<linux/falloc.h>',
  '<linux/fcntl.h>',
  '<linux/fs.h>',
  '<linux/io_uring.h>',
  '<linux/magic.h>',
  '<linux/prctl.h>',
  '<linux/sockios.h>',
  '<linux/stat.h>',
  '<linux/ublk_cmd.h>',
  '<linux/un.h>',
]
  .map((header) => `#include ${header}\n`)
  .join('');

/** What `cc` makes of each C expression, as a 64-bit number. */
export function evaluate(expressions: readonly string[]): Map<string, bigint> {
  const statements = expressions.map((expression) => `printf("%lld\\n", (long long)(${expression}));`);
  const lines = statements.length === 0 ? [] : runC(statements);
  return new Map(expressions.map((expression, i) => [expression, BigInt(lines[i] ?? '')]));
}

/** Runs `statements` as the body of main, and returns the lines printed. */
export function runC(statements: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'ublkts-abi-'));
  try {
    const source = join(folder, 'abi.c');
    const program = join(folder, 'abi');
    writeFileSync(source, `${INCLUDES}\n${BYTES}\nint main(void)\n{\n${statements.join('\n')}\nreturn 0;\n}\n`);
    execFileSync('cc', [...FLAGS, '-w', '-fpermissive', '-o', program, source]);
    return execFileSync(program, { encoding: 'utf8' }).trimEnd().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The names of every object-like macro and of every struct that ublk_cmd.h defines. */
export function ublkNames(): { readonly macros: string[]; readonly structs: string[] } {
  return {
    macros: captures(preprocess('#include <linux/ublk_cmd.h>\n', '-dM'), /^#define (UBLK\w+) /gm),
    structs: captures(preprocess('#include <linux/ublk_cmd.h>\n'), /^struct (ublk\w+) \{/gm),
  };
}

function preprocess(input: string, ...options: string[]): string {
  return execFileSync('cc', [...FLAGS, '-E', ...options, '-x', 'c', '-'], { input, encoding: 'utf8' });
}

function captures(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '').sort();
}

const BYTES = `static void bytes(const void *p, size_t n)
{
for (size_t i = 0; i < n; i++) printf("%02x", ((const unsigned char *)p)[i]);
printf("\\n");
}`;
