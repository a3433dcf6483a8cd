#!/usr/bin/env node
// Compiles src/ to dist/, writes oclif.manifest.json, and bundles what is started often: the program, the server, and
// what a queue thread runs.
import { execFileSync } from 'node:child_process';
import { globSync, rmSync } from 'node:fs';

const run = (file, args) => execFileSync(file, args, { stdio: 'inherit' });

const BUNDLE = [
  '--bundle',
  '--platform=node',
  '--format=esm',
  '--target=node22',
  '--outdir=dist',
  '--outbase=dist',
  '--allow-overwrite',
  '--log-level=warning',
];

// A file that was renamed or removed must not live on in dist/, where oclif would still find it.
rmSync('dist', { recursive: true, force: true });
run('tsc', ['-p', 'tsconfig.build.json']);
run('oclif', ['manifest']);
// A command loads a few files in place of some 120 (docs/decisions/0009). oclif is CommonJS and asks for `require`;
// the monitor's libraries stay packages, loaded by the monitor only.
const require =
  "import { createRequire as __requireOf } from 'node:module'; const require = __requireOf(import.meta.url);";
const packages = ['chalk', 'execa', 'ffi-rs', 'ink', 'koffi', 'react'].map((name) => `--external:${name}`);
const commands = globSync('dist/commands/**/*.js');
run('esbuild', [
  'dist/main.js',
  ...commands,
  ...BUNDLE,
  '--splitting',
  '--chunk-names=chunks/[name]-[hash]',
  `--banner:js=${require}`,
  ...packages,
]);
run('esbuild', ['dist/server/main.js', ...BUNDLE, '--packages=external']);
// One module, so that the JIT knows constants and functions of other files, and by rollup, which leaves a `const` one:
// esbuild makes variables of them, which are loaded and checked at every use (docs/decisions/0006).
const worker = 'dist/queue/main.js';
run('rollup', [worker, '--format', 'es', '--external', '/^node:|^koffi$|^ffi-rs$/', '--file', worker, '--silent']);
