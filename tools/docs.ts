#!/usr/bin/env node
/**
 * `npm run docs`: writes what is made from the commands, which is docs/commands.md, the man page and the completions.
 * With --check, it only says what would change. It needs a build, for the manifest.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { documents } from '../src/cli/docs/documents.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const drifted = [...(await documents())].filter(([path, text]) => read(path) !== text);
if (!values.check) drifted.forEach(write);
if (drifted.length > 0) {
  const paths = drifted.map(([path]) => path).join(', ');
  process.stdout.write(`${values.check ? 'out of date' : 'written'}: ${paths}\n`);
}
process.exitCode = values.check && drifted.length > 0 ? 1 : 0;

function write([path, text]: readonly [string, string]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
