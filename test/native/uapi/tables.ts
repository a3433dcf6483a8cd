import { readdirSync } from 'node:fs';
import type { StructLayout } from '../../../src/native/uapi/struct.ts';

export interface Tables {
  readonly constants: ReadonlyMap<string, bigint>;
  readonly structs: readonly StructLayout[];
}

// Not in any header: word indices (words.test.ts derives them from the structs), and two numbers from elsewhere.
const WORD_FILES = ['io-uring-words.ts', 'ublk-words.ts'];
const NOT_UAPI = new Set([
  'ENOTSUPP', // include/linux/errno.h, which no package installs
  'UBLK_FETCH_ELEM_BYTES', // drivers/block/ublk_drv.c compares with sizeof(__u16)
]);

/** Every constant and every struct that src/native/uapi exports: a new file is picked up by itself. */
export async function uapiTables(): Promise<Tables> {
  const folder = new URL('../../../src/native/uapi/', import.meta.url);
  const constants = new Map<string, bigint>();
  const structs: StructLayout[] = [];
  for (const file of readdirSync(folder).filter((file) => !WORD_FILES.includes(file))) {
    const module: Readonly<Record<string, unknown>> = await import(new URL(file, folder).href);
    for (const [name, value] of Object.entries(module)) {
      if (typeof value === 'number' || typeof value === 'bigint') constants.set(name, BigInt(value));
      else if (name === 'ERRNO') for (const [errno, number] of numbers(value)) constants.set(errno, BigInt(number));
      else if (isLayout(value)) structs.push(value);
    }
  }
  for (const name of NOT_UAPI) constants.delete(name);
  return { constants, structs };
}

function isLayout(value: unknown): value is StructLayout {
  return typeof value === 'object' && value !== null && 'fields' in value && 'aliases' in value;
}

function numbers(value: unknown): [string, number][] {
  return Object.entries(value as Record<string, number>);
}
