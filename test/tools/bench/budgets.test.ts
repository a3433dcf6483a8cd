import assert from 'node:assert/strict';
import test from 'node:test';
import { type Figure, kept } from '../../../tools/bench/budgets/figures.ts';
import { startUpHere } from '../../../tools/bench/budgets/host.ts';
import { privateDirtyMb } from '../../../tools/bench/budgets/memory.ts';
import { markdown } from '../../../tools/bench/budgets/table.ts';

const figure = (more: Partial<Figure>): Figure => ({
  what: 'a thing',
  budget: 40,
  figure: 30,
  unit: 'MB',
  note: 'a note',
  ...more,
});

test('a budget is a most, a least when it says so, and none is always kept', () => {
  assert.ok(kept(figure({ figure: 40 })));
  assert.ok(!kept(figure({ figure: 40.1 })));
  assert.ok(kept(figure({ budget: 50, figure: 50, least: true })));
  assert.ok(!kept(figure({ budget: 50, figure: 49, least: true })));
  assert.ok(kept(figure({ budget: null, figure: 1e9 })));
});

test('a figure that could not be measured is not kept', () => {
  assert.ok(!kept(figure({ figure: Number.NaN })));
  assert.ok(!kept(figure({ figure: Number.NaN, least: true })));
});

test('a row has what, budget, figure and verdict', () => {
  const text = markdown([
    figure({}),
    figure({ figure: 41 }),
    figure({ budget: null }),
    figure({ budget: 50, figure: 50, unit: 'devices', least: true }),
  ]);
  assert.deepEqual(text.split('\n').slice(2, -1), [
    '| a thing | 40.0 MB | 30.0 MB | kept | a note |',
    '| a thing | 40.0 MB | 41.0 MB | exceeded | a note |',
    '| a thing | - | 30.0 MB | - | a note |',
    '| a thing | 50 devices | 50 devices | kept | a note |',
  ]);
});

test('private memory of this process is some megabytes', () => {
  const mb = privateDirtyMb(process.pid);
  assert.ok(mb > 1 && mb < 4096, `${mb}`);
});

test('starting a command is told beside bare Node', () => {
  const figures = startUpHere(1);
  assert.deepEqual(
    figures.map(({ what }) => what),
    ['`list`, CPU time', '`features`, CPU time'],
  );
  for (const { figure } of figures) assert.ok(figure > 1 && figure < 50, `${figure}`);
});
