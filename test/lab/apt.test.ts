import assert from 'node:assert/strict';
import test from 'node:test';
import { downloadProgress, sourcesFor } from '../../src/lab/apt.ts';

test('the guest suites are read from the mirror that is given, checked by the keyring that is given', () => {
  assert.deepEqual(sourcesFor('http://mirror.example/debian', '/keys.gpg'), [
    'deb [signed-by=/keys.gpg] http://mirror.example/debian trixie main',
    'deb [signed-by=/keys.gpg] http://mirror.example/debian trixie-backports main',
  ]);
  assert.deepEqual(
    sourcesFor('http://mirror.example/debian', undefined)[0],
    'deb http://mirror.example/debian trixie main',
  );
});

test("apt's status lines become whole percents, its other lines nothing", () => {
  assert.equal(downloadProgress('dlstatus:1:20.4762:Retrieving file 1 of 12 (3s remaining)'), 20);
  assert.equal(downloadProgress('Get:1 http://mirror.example/debian trixie/main amd64 bash'), undefined);
});
