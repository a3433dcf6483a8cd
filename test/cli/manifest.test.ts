/** How words find their command in oclif's manifest. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { commandNames, findCommand, readManifest } from '../../src/cli/dispatch/manifest.ts';

const MANIFEST = readManifest();

describe('the manifest', () => {
  test('has every command of src/commands, and no other', () => {
    const sources = new URL('../../src/commands/', import.meta.url);
    const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const ids = files.map((name) => name.replace(/\.ts$/, '').replaceAll('/', ':'));
    assert.deepEqual(Object.keys(MANIFEST.commands).sort(), ids.sort());
  });

  test('finds a command under each of its names', () => {
    for (const name of commandNames(MANIFEST)) assert.ok(findCommand(MANIFEST, name.split(' ')), name);
    assert.equal(findCommand(MANIFEST, ['update-size'])?.command.id, 'update_size');
    assert.equal(findCommand(MANIFEST, ['rm'])?.command.id, 'del');
  });

  test('gives the longest run of words, which a flag ends', () => {
    assert.deepEqual(findCommand(MANIFEST, ['lab', 'run', '--', 'list'])?.rest, ['--', 'list']);
    assert.equal(findCommand(MANIFEST, ['lab', '--json', 'run']), undefined);
    assert.deepEqual(findCommand(MANIFEST, ['list', '3', '-n', '4'])?.rest, ['3', '-n', '4']);
    assert.equal(findCommand(MANIFEST, ['constructor']), undefined);
    assert.equal(findCommand(MANIFEST, []), undefined);
  });
});
