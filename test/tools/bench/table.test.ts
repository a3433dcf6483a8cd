import assert from 'node:assert/strict';
import test from 'node:test';
import type { Cell } from '../../../tools/bench/matrix.ts';
import { compare, drops, geometricMean, markdown, parseRatios, unknown, updated } from '../../../tools/bench/table.ts';

const cell = (server: Cell['server'], iops: number, mode = 'plain', inServer: number | null = null): Cell => ({
  target: 'null',
  mode,
  row: 'QD 1 4k read',
  server,
  iops,
  inServer,
});

test('a row is ours beside kublk and the kernel of the same target and row', () => {
  const [row] = compare([cell('kublk', 1000), cell('ublkts', 1100), cell('kernel', 3000)]);
  assert.deepEqual(
    { ...row, ratio: undefined },
    {
      target: 'null',
      mode: 'plain',
      row: 'QD 1 4k read',
      ublkts: 1100,
      kublk: 1000,
      kernel: 3000,
      ratio: undefined,
      inUblkts: null,
      inKublk: null,
    },
  );
  assert.equal(row?.ratio, 1.1);
});

test('where kublk cannot be measured there is no ratio, and none in the mean', () => {
  const rows = compare([cell('ublkts', 500, '-b'), cell('kublk', 1000), cell('ublkts', 2000)]);
  assert.equal(geometricMean(rows), 2);
});

test('the written table is read back', () => {
  const rows = compare([cell('kublk', 1000), cell('ublkts', 987)]);
  assert.deepEqual([...parseRatios(markdown(rows))], [['null plain QD 1 4k read', 0.987]]);
});

test('a row that lost more than 3 % is named, one that lost less is not', () => {
  const committed = new Map([['null plain QD 1 4k read', 1]]);
  assert.equal(drops(compare([cell('kublk', 1000), cell('ublkts', 980)]), committed).length, 0);
  assert.match(drops(compare([cell('kublk', 1000), cell('ublkts', 960)]), committed)[0] ?? '', /0\.960.*1\.000/);
});

test('a row that the table does not have is named: it is compared with nothing', () => {
  const committed = new Map([['null plain QD 1 4k read', 1]]);
  assert.deepEqual(unknown(compare([cell('ublkts', 1), cell('ublkts', 1, '-b')]), committed), ['null -b QD 1 4k read']);
});

test('a part takes the place of its rows, in the order of the whole', () => {
  const before = markdown(compare([cell('kublk', 1000, '-b'), cell('ublkts', 900, '-b')]));
  const after = updated(before, compare([cell('kublk', 1000), cell('ublkts', 990)]));
  assert.deepEqual(
    [...parseRatios(after)],
    [
      ['null plain QD 1 4k read', 0.99],
      ['null -b QD 1 4k read', 0.9],
    ],
  );
  const again = updated(after, compare([cell('kublk', 1000, '-b'), cell('ublkts', 950, '-b')]));
  assert.equal(parseRatios(again).get('null -b QD 1 4k read'), 0.95);
  assert.equal(parseRatios(again).size, 2);
});

test("what a request takes with us and not with kublk, and what of it is the server's", () => {
  const cells = [cell('kublk', 62_500, 'plain', 7400), cell('ublkts', 62_000, 'plain', 7450)];
  const [, , row] = markdown(compare(cells)).split('\n');
  assert.equal(row, '| null | plain | QD 1 4k read | 0.992 | 62,000 | 62,500 | - | +129 | 7,450 | 7,400 |');
  assert.equal(updated(row ?? '', []).split('\n')[2], row);
});
