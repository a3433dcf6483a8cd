#!/usr/bin/env node
// Writes what is made from the commands: docs/commands.md, the man page and the completions. With --check, only says
// what would change. Needs a build.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { documents } from '../dist/cli/docs/documents.js';

const check = process.argv.includes('--check');
const drifted = [];
for (const [path, text] of await documents()) {
  if (read(path) === text) continue;
  drifted.push(path);
  if (check) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
if (drifted.length > 0) console.log(`${check ? 'out of date' : 'written'}: ${drifted.join(', ')}`);
process.exitCode = check && drifted.length > 0 ? 1 : 0;

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
