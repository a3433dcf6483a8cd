/** Checks what a target's file exports, which no compiler may have looked at. */
import { usageError } from '../../errors.ts';
import { isObject } from '../../kinds.ts';
import type { TargetDefinition } from './define.ts';

const OPTION_NAME = /^[a-z][a-z0-9_]*$/;

/** Throws a UblkError that says what is wrong with the definition, in one sentence. */
export function requireDefinition(value: Readonly<Record<string, unknown>>, file: string): TargetDefinition {
  const wrong = problemOf(value);
  if (wrong !== null) throw usageError(`target ${file} is not complete: ${wrong}`, 'see docs/writing-a-target.md');
  return value as unknown as TargetDefinition;
}

function problemOf({ summary, options = {}, files, setup, open }: Readonly<Record<string, unknown>>): string | null {
  if (typeof summary !== 'string') return '`summary` is not a text';
  if (typeof open !== 'function') return '`open` is not a function';
  if (setup !== undefined && typeof setup !== 'function') return '`setup` is not a function';
  if (!isObject(options)) return '`options` is not an object';
  for (const [name, kind] of Object.entries(options)) {
    if (!OPTION_NAME.test(name)) return `the option ${JSON.stringify(name)} is not made of a-z, 0-9 and _`;
    if (!isObject(kind) || typeof kind['parse'] !== 'function') {
      return `the option ${name} was not made by size, integer, text, flag or path`;
    }
  }
  return files === undefined || isFileCount(files) ? null : '`files` is not { min, max }, with 0 <= min <= max';
}

function isFileCount(files: unknown): boolean {
  if (!isObject(files) || !Number.isInteger(files['min']) || !Number.isInteger(files['max'])) return false;
  return 0 <= Number(files['min']) && Number(files['min']) <= Number(files['max']);
}
