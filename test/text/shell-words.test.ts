/** Command lines as one text: what is joined is split into the same words, and a shell reads it in the same way. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { array, assert as always, property, string } from 'fast-check';
import { joinWords, splitWords } from '../../src/text/shell-words.ts';

const word = string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('\0'));

describe('the words of a command line', () => {
  test('come back from one text', () => {
    always(property(array(word), (words) => assert.deepEqual(splitWords(joinWords(words)), words)));
  });

  test('are split as a shell splits them', () => {
    const text = String.raw`nbdkit  file '/srv/my disk' "a \"b\" \n" c\ d'e'"f" ''`;
    const { stdout } = spawnSync('sh', ['-c', String.raw`printf '%s\0' ` + text], { encoding: 'utf8' });
    assert.deepEqual(splitWords(text), stdout.split('\0').slice(0, -1));
  });

  test('are refused with a quote that is not closed', () => {
    for (const text of [`nbdkit 'a`, 'nbdkit "a', 'a\\']) assert.equal(splitWords(text), null, text);
  });
});
