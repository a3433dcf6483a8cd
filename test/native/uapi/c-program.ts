import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const INCLUDES = [
  '<errno.h>',
  '<stddef.h>',
  '<stdio.h>',
  '<string.h>',
  '<linux/blkzoned.h>',
  '<linux/falloc.h>',
  '<linux/fcntl.h>',
  '<linux/fs.h>',
  '<linux/io_uring.h>',
  '<linux/stat.h>',
  '<linux/ublk_cmd.h>',
]
  .map((header) => `#include ${header}\n`)
  .join('');

/** Why the installed headers cannot be compared with; false when they can. */
export function whyNoHeaders(): string | false {
  if (spawnSync(cc(), ['--version']).error !== undefined) return `no C compiler (${cc()})`;
  if (defines('UBLK_F_IO_DESC_SIZE')) return false;
  const lacks = defines('UBLK_F_SHMEM_ZC') ? 'UBLK_F_IO_DESC_SIZE' : 'UBLK_F_SHMEM_ZC';
  return `<linux/ublk_cmd.h> has no ${lacks}: older than Linux 7.3 (UBLKTS_UAPI_INCLUDE names another include folder)`;
}

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
    execFileSync(cc(), [...flags(), '-w', '-o', program, source]);
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

function defines(macro: string): boolean {
  const source = `#include <linux/ublk_cmd.h>\n#ifndef ${macro}\n#error it has not\n#endif\n`;
  return spawnSync(cc(), [...flags(), '-E', '-x', 'c', '-'], { input: source }).status === 0;
}

function preprocess(input: string, ...options: string[]): string {
  return execFileSync(cc(), [...flags(), '-E', ...options, '-x', 'c', '-'], { input, encoding: 'utf8' });
}

function captures(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '').sort();
}

const BYTES = `static void bytes(const void *p, size_t n)
{
for (size_t i = 0; i < n; i++) printf("%02x", ((const unsigned char *)p)[i]);
printf("\\n");
}`;

function cc(): string {
  return process.env['CC'] ?? 'cc';
}

function flags(): string[] {
  const extra = process.env['UBLKTS_UAPI_INCLUDE'];
  return extra === undefined || extra === '' ? [] : ['-I', extra];
}
