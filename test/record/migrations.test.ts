/** A device whose record an earlier version wrote is the same device to this one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { migrate } from '../../src/record/migrations.ts';
import { dataPathNameOf, optionsFor } from '../../src/spec/device-spec.ts';
import { FeatureSet } from '../../src/spec/features.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { loopTarget } from '../../src/targets/loop/index.ts';

const version1 = JSON.parse(readFileSync(new URL('fixtures/version-1.json', import.meta.url), 'utf8'));

describe('a record of version 1', () => {
  test('becomes one of version 2 that says the same', () => {
    const record = migrate(version1);
    assert.ok(record !== null);
    const { options, spec, ...rest } = record;
    assert.deepEqual(options, version1.options);
    assert.deepEqual(rest, {
      version: 2,
      id: 3,
      server: { pid: 4711, startTime: null },
      previous: { pid: 4700, startTime: null },
      generation: 2,
      recorded: true,
      buffers: version1.buffers,
      unsettled: null,
      ended: { at: '2026-11-20T10:00:00.000Z', reason: 'stopped', message: null },
    });
    assert.equal(dataPathNameOf(spec), version1.dataPath);
    assert.deepEqual(spec.features, ['USER_RECOVERY', 'AUTO_BUF_REG', 'BATCH_IO', 'SHMEM_ZC']);
    assert.deepEqual([spec.target, spec.files, spec.threads, spec.sharedMemory], ['loop', ['/var/tmp/d.img'], 2, true]);
    assert.deepEqual(resolve(optionsFor(spec, 3), loopTarget, FeatureSet.of(...spec.features)), spec);
  });

  test('of a server that failed, and of one that never served', () => {
    const failed = migrate({ ...version1, ended: { at: 'then', reason: 'the disk is on fire' }, serverPid: -1 });
    assert.deepEqual(failed?.ended, { at: 'then', reason: 'failed', message: 'the disk is on fire' });
    assert.equal(failed?.server, null);
  });

  test('that copies, as null does and as loop did on an old kernel', () => {
    const options = { ...version1.options, features: [], dataPath: null };
    const record = migrate({ ...version1, options, dataPath: 'copy' });
    assert.equal(record === null ? null : dataPathNameOf(record.spec), 'copy');
  });
});

describe('anything else', () => {
  test('of today is left as it is', () => {
    const record = migrate(version1);
    assert.deepEqual(migrate(JSON.parse(JSON.stringify(record))), record);
  });
  test('that is older than resident servers and --share is of a device with a process and files of its own', () => {
    const { spec, ...rest } = JSON.parse(JSON.stringify(migrate(version1)));
    delete spec.server;
    delete spec.share;
    const migrated = migrate({ ...rest, spec })?.spec;
    assert.deepEqual([migrated?.server, migrated?.share], [null, false]);
  });
  test('of a newer version, or no record at all, is none', () => {
    assert.equal(migrate({ version: 3 }), null);
    fc.assert(fc.property(fc.jsonValue(), (value) => assert.equal(migrate(value), null)));
  });
});
