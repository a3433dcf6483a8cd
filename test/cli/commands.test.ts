/** The table that commands are started from, against the manifest that help, man page and completions are made from. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { commandNames, findCommand } from '../../src/command-table.ts';

interface Manifest {
  readonly commands: Readonly<Record<string, { readonly id: string; readonly aliases: readonly string[] }>>;
}

const MANIFEST = JSON.parse(readFileSync(new URL('../../oclif.manifest.json', import.meta.url), 'utf8')) as Manifest;
const COMMANDS = Object.values(MANIFEST.commands);

describe('the table of commands', () => {
  test('has the names of the manifest, aliases included, and no other', () => {
    const names = COMMANDS.flatMap(({ id, aliases }) => [id, ...aliases]);
    assert.deepEqual(commandNames().sort(), names.sort());
  });

  test('an alias is the command that the manifest says', () => {
    for (const { id, aliases } of COMMANDS) {
      for (const alias of aliases) assert.equal(findCommand([alias])?.id, id);
    }
  });

  test('the longest run of words wins, and flags end it', () => {
    assert.deepEqual(findCommand(['lab', 'run', '--', 'list'])?.rest, ['--', 'list']);
    assert.equal(findCommand(['lab', '--json', 'run']), undefined);
    assert.deepEqual(findCommand(['list', '3', '-n', '4'])?.rest, ['3', '-n', '4']);
    assert.equal(findCommand(['constructor']), undefined);
    assert.equal(findCommand([]), undefined);
  });
});
