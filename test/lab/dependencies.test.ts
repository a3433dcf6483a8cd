import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { modulesOf } from '../../src/lab/dependencies.ts';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-modules-'));
after(() => rmSync(folder, { recursive: true }));

test('the packages for a guest are those of a checkout, or those beside an installed package', async () => {
  const checkout = join(folder, 'checkout');
  mkdirSync(join(checkout, 'node_modules'), { recursive: true });
  assert.equal(await modulesOf(checkout), join(checkout, 'node_modules'));
  const installed = join(folder, 'project/node_modules/ublkts');
  mkdirSync(installed, { recursive: true });
  assert.equal(await modulesOf(installed), join(folder, 'project/node_modules'));
  assert.equal(await modulesOf(folder), undefined);
});
