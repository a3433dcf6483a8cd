#!/usr/bin/env node
/** `npm run build`: makes dist/, the types of the library, and oclif.manifest.json from src/. */
import { rmSync } from 'node:fs';
import { bundle } from './build/bundle.ts';
import { PASSES } from './build/passes.ts';
import { runHere } from './harness/host.ts';

const signal = new AbortController().signal;

// A file that was renamed or removed must not live on in dist/, where oclif would still find it.
rmSync('dist', { recursive: true, force: true });
const [types] = await Promise.all([runHere('tsc', ['-p', 'tsconfig.build.json'], signal), ...PASSES.map(bundle)]);
process.exitCode = types || (await runHere('oclif', ['manifest'], signal));
