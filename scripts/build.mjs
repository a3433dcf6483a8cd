#!/usr/bin/env node
// Compiles src/ to dist/ and writes oclif.manifest.json, so that a command starts without scanning dist/commands.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const run = (file, args) => execFileSync(file, args, { stdio: 'inherit' });

// A file that was renamed or removed must not live on in dist/, where oclif would still find it.
rmSync('dist', { recursive: true, force: true });
run('tsc', ['-p', 'tsconfig.build.json']);
run('oclif', ['manifest']);
