#!/usr/bin/env node
// Compiles src/ to dist/, makes one module of what a queue thread runs, and writes oclif.manifest.json, so that a
// command starts without scanning dist/commands.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const run = (file, args) => execFileSync(file, args, { stdio: 'inherit' });

// A file that was renamed or removed must not live on in dist/, where oclif would still find it.
rmSync('dist', { recursive: true, force: true });
run('tsc', ['-p', 'tsconfig.build.json']);
// Constants and functions of other modules are read through cells at every use; in one module the JIT knows them
// (docs/decisions/0006).
const worker = 'dist/server/queue-worker.js';
const options = [
  '--bundle',
  '--platform=node',
  '--format=esm',
  '--packages=external',
  '--target=node22',
  '--minify-syntax',
];
run('esbuild', [worker, ...options, '--log-level=warning', '--allow-overwrite', `--outfile=${worker}`]);
run('oclif', ['manifest']);
