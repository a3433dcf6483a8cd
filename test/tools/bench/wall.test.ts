import assert from 'node:assert/strict';
import test from 'node:test';
import { markdown, orderOf, type Round } from '../../../tools/bench/wall/rounds.ts';

const round = (server: Round['server'], iops: number): Round => ({ target: 'null', row: 'QD 1 4k read', server, iops });

test('a line has the ratios of the medians and the rounds of all', () => {
  const rounds = [
    round('ublkts', 1000),
    round('ublkts copy', 950),
    round('kublk', 900),
    round('ublkts', 1200),
    round('kublk', 1000),
    round('ublkts', 1100),
  ];
  assert.match(
    markdown(rounds),
    /^\| null \| QD 1 4k read \| 1\.16 \| 1\.00 \| 1,100 \(1,000 - 1,200\) \| 950 \(950 - 950\) \| 950 \(900 - 1,000\) \|$/m,
  );
});

test('every server is first in its turn', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((number) => orderOf(number, ['a', 'b', 'c']).join('')),
    ['abc', 'bca', 'cab', 'abc'],
  );
});
