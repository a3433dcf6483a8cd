import assert from 'node:assert/strict';
import test from 'node:test';
import { markdown, type Round } from '../../bench/wall/rounds.ts';

const round = (server: Round['server'], iops: number): Round => ({ target: 'null', row: 'QD 1 4k read', server, iops });

test('a line has the ratio of the medians and the rounds of both', () => {
  const rounds = [
    round('ublkts', 1000),
    round('kublk', 900),
    round('ublkts', 1200),
    round('kublk', 1000),
    round('ublkts', 1100),
  ];
  assert.match(
    markdown(rounds),
    /^\| null \| QD 1 4k read \| 1\.16 \| 1,100 \(1,000 - 1,200\) \| 950 \(900 - 1,000\) \|$/m,
  );
});
