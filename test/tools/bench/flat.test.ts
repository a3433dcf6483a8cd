import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { costOfPage, type Point, valueName } from '../../../tools/bench/flat/curves.ts';
import { drawCurves } from '../../../tools/bench/flat/panels.ts';
import { drawPlots, niceStep, short } from '../../../tools/bench/flat/plot.ts';
import { markdown, parsePoints, spread } from '../../../tools/bench/flat/table.ts';

const POINTS: readonly Point[] = [
  { curve: 'depth', value: 4, server: 'ublkts', cost: 18_000 },
  { curve: 'depth', value: 1, server: 'ublkts', cost: 28_500 },
  { curve: 'depth', value: 1, server: 'kublk', cost: 28_000 },
  { curve: 'depth', value: 4, server: 'kublk', cost: 17_500 },
  { curve: 'size', value: 16_384, server: 'ublkts', cost: 32_000 },
  { curve: 'size', value: 1 << 20, server: 'ublkts', cost: 1_400_000 },
  { curve: 'size', value: 16_384, server: 'kublk', cost: 32_100 },
  { curve: 'size', value: 1 << 20, server: 'kublk', cost: 1_400_500 },
];

test('a table has its points in their order, and a size its cost for 4 KiB too', () => {
  const lines = markdown(POINTS).split('\n');
  assert.ok(lines.includes('| instructions per request | 1 | 4 |'));
  assert.ok(lines.includes('| ublkts | 28,500 | 18,000 |'));
  assert.ok(lines.includes('| instructions per request | 16k | 1m |'));
  assert.ok(lines.includes('| ublkts, for 4 KiB | 8,000 | 5,469 |'));
});

test('the written tables are read back', () => {
  assert.deepEqual(sorted(parsePoints(`before\n\n${markdown(POINTS)}\nafter`)), sorted(POINTS));
  assert.deepEqual(parsePoints('no table at all'), []);
});

test('sizes have names, other values are themselves', () => {
  assert.deepEqual(
    [512, 65_536, 1 << 20].map((value) => valueName('size', value)),
    ['512', '64k', '1m'],
  );
  assert.equal(valueName('depth', 1024), '1024');
});

test('the cost of 4 KiB is a share of a large request, and more than one small one', () => {
  assert.equal(costOfPage({ curve: 'size', value: 65_536, server: 'ublkts', cost: 1600 }), 100);
  assert.equal(costOfPage({ curve: 'size', value: 512, server: 'ublkts', cost: 100 }), 800);
});

test('flat is 1', () => {
  assert.equal(spread([point(10), point(10)]), 1);
  assert.equal(spread([point(10), point(15)]), 1.5);
});

test('a plot begins at 0, steps by doublings to the right, and is higher for more', () => {
  const line = {
    name: 'a & b',
    points: [
      [1, 0],
      [2, 50],
      [4, 100],
    ] as const,
  };
  const svg = drawPlots('x < y', [{ title: 'panel', lines: [line], tick: String }]);
  const dots = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="2.5"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = []] = dots;
  assert.equal(dots.length, 3);
  assert.ok(Math.abs(x1 - x0 - (x2 - x1)) < 0.2);
  assert.ok(Math.abs(y0 - y1 - (y1 - y2)) < 0.2 && y2 < y0);
  assert.match(svg, /<title>x &lt; y<\/title>/);
  assert.match(svg, /a &amp; b/);
  assert.match(svg, /prefers-color-scheme: dark/);
});

test('a plot of one point has no NaN in it', () => {
  const svg = drawPlots('one', [{ title: 'panel', lines: [{ name: 'a', points: [[1, 5]] }], tick: String }]);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test('the drawing of the curves has a panel for each that was measured, and two for sizes', () => {
  const svg = drawCurves(POINTS);
  assert.equal([...svg.matchAll(/<g transform/g)].length, 3);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test('steps of a grid are round', () => {
  assert.deepEqual([1, 1.5, 3, 7000, 12].map(niceStep), [1, 2, 5, 10_000, 20]);
  assert.deepEqual([0, 500, 25_000, 1_500_000].map(short), ['0', '500', '25k', '1.5M']);
});

test('the drawing in docs/ is of the points in docs/', () => {
  const [document, svg] = ['performance.md', 'flat-cost.svg'].map((name) =>
    readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8'),
  );
  assert.equal(drawCurves(parsePoints(document ?? '')), svg);
});

function point(cost: number): Point {
  return { curve: 'queues', value: 1, server: 'ublkts', cost };
}

function sorted(points: readonly Point[]): Point[] {
  return [...points].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf({ curve, server, value }: Point): string {
  return `${curve} ${server} ${value}`;
}
