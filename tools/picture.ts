/**
 * `npm run picture`: docs/monitor.svg and docs/monitor.cast, from a real run in the lab. The scene is played in the
 * guest (picture/scene.ts); what the terminal shows is drawn here.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { ROOT } from './harness/root.ts';
import type { Cell } from './picture/cells.ts';
import { drawSvg } from './picture/svg.ts';

const results = mkdtempSync(join(tmpdir(), 'ublkts-picture-'));
try {
  const lab = ['lab', 'run', '--cpus', '4', '--memory', '3G', '--timeout', '900', '--collect', results];
  const scene = ['--', 'node', 'tools/picture/scene.ts'];
  const { status } = spawnSync(process.execPath, [join(ROOT, 'bin/run.js'), ...lab, ...scene], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`the scene ended with exit code ${status}`);
  const cells = JSON.parse(readFileSync(join(results, 'screen.json'), 'utf8')) as Cell[][];
  writeFileSync(join(ROOT, 'docs/monitor.svg'), drawSvg(cells, 'ublkts monitor -n 0'));
  writeFileSync(join(ROOT, 'docs/monitor.cast'), readFileSync(join(results, 'monitor.cast')));
} finally {
  rmSync(results, { recursive: true, force: true });
}
