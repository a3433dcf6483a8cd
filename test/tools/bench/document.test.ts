import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { putBetween } from '../../../tools/bench/document.ts';

const TEXT = 'before\n\n<!-- table: written by npm run bench -->\n\nold\n\n<!-- end of table -->\n\nafter\n';

test('what is between the markers is replaced, and nothing else', () => {
  const written = putBetween(TEXT, 'table', '| new |\n');
  assert.equal(written, TEXT.replace('old', '| new |'));
  assert.equal(putBetween(written, 'table', '| new |'), written);
});

test('without the markers, or with one only, nothing is written', () => {
  assert.throws(() => putBetween('text', 'table', 'x'), /no markers/);
  assert.throws(() => putBetween(TEXT, 'flat cost', 'x'), /no markers/);
  assert.throws(() => putBetween(TEXT.replace('<!-- end of table -->', ''), 'table', 'x'), /no markers/);
});

test('docs/performance.md has all the markers that are written to', () => {
  const text = readFileSync(new URL('../../../docs/performance.md', import.meta.url), 'utf8');
  for (const name of ['table', 'flat cost', 'budgets']) assert.notEqual(putBetween(text, name, 'x'), text);
});
