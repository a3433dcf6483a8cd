import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerCommand } from '../../src/spec/sealed-memory.ts';
import { builtInTarget, targetNames } from '../../src/targets/registry.ts';

test('the command that registers a buffer is one that the target does not refuse', () => {
  for (const name of [...targetNames(), '/srv/disk.ts']) {
    const wantsSealed = builtInTarget(name)?.looksAtData ?? name.startsWith('/');
    const wanted = wantsSealed ? 'ublkts reg-buf -n 3 --memfd 4M --seal' : 'ublkts reg-buf -n 3 FILE';
    assert.equal(registerCommand(3, name, 'FILE'), wanted, name);
  }
});
