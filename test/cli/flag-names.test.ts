/** A refusal names options; the command line must have a flag for each of them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FLAG_NAMES, flagName, messageOf } from '../../src/cli/flags/flag-names.ts';
import Add from '../../src/commands/add.ts';
import Bench from '../../src/commands/bench.ts';
import Del from '../../src/commands/del.ts';
import UpdateSize from '../../src/commands/update_size.ts';
import { usageError } from '../../src/errors.ts';
import { builtInTarget, targetNames } from '../../src/targets/registry.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

describe('the flags of options', () => {
  test('are flags of add, del, bench or update_size', () => {
    const flags = { ...Bench.flags, ...UpdateSize.flags, ...Del.flags, ...Add.flags };
    for (const [option, flag] of Object.entries(FLAG_NAMES)) {
      const [name] = (flag ?? '').split(' ');
      if (flag !== null) assert.ok(Object.hasOwn(flags, name?.slice(2) ?? ''), `${option}: ${flag}`);
    }
  });

  test('are there for every option that some refusal names', () => {
    const named = sources().flatMap((text) =>
      [...text.matchAll(/\boption\('([\w.]+)'/g)].map(([, name]) => name ?? ''),
    );
    assert.ok(named.length > 20);
    for (const name of named) assert.match(flagName(name), /^--/, name);
  });

  test('are there for the options of the built-in targets, and -o for those of others', () => {
    for (const target of targetNames()) {
      for (const name of Object.keys(builtInTarget(target)?.options ?? {})) {
        assert.ok(Object.hasOwn(Add.flags, flagName(`targetOptions.${name}`).slice(2)), name);
      }
    }
    assert.equal(flagName('targetOptions.colour'), '-o colour');
  });

  test('take the place of the options in a message', () => {
    const error = usageError(['make ', { option: 'threads' }, ' 2 or add ', { option: 'features.SHMEM_ZC' }]);
    assert.equal(error.message, "make `threads` 2 or add `features: ['SHMEM_ZC']`");
    assert.equal(messageOf(error), 'make --nthreads 2 or add --shmem_zc');
  });
});

test('add names every built-in target, in its description and beside -t', () => {
  for (const target of targetNames()) {
    for (const text of [Add.description, Add.flags.type.summary ?? '']) {
      assert.match(text, new RegExp(String.raw`\b${target}\b`));
    }
  }
});

function sources(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(SRC, name), 'utf8'));
}
