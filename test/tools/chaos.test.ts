import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Misfortune, MISFORTUNES, planRound } from '../../tools/chaos/plan.ts';

const ROUNDS = Array.from({ length: 400 }, (_none, number) => planRound(1, number));

describe('a round of the chaos program', () => {
  test('depends on the seed and its number only', () => {
    assert.deepEqual(planRound(1, 7), ROUNDS[7]);
    assert.notDeepEqual(
      Array.from({ length: 20 }, (_none, number) => planRound(2, number)),
      ROUNDS.slice(0, 20),
    );
  });

  test('has the misfortune whose turn it is', () => {
    const first = ROUNDS.slice(0, MISFORTUNES.length).map(({ misfortune }) => misfortune);
    assert.deepEqual(first, MISFORTUNES);
  });

  test('asks for no batches of one request', () => {
    assert.deepEqual(
      ROUNDS.filter(({ dataPath, depth }) => dataPath.startsWith('batch') && depth === 1),
      [],
    );
  });

  test('breaks files only below a target that has files, and NBD servers only where there is one', () => {
    assert.deepEqual(targetsOf('backing error'), ['loop', 'stripe']);
    assert.deepEqual(targetsOf('full disk'), ['loop', 'nbd', 'stripe']);
    assert.deepEqual(targetsOf('dead NBD server'), ['nbd']);
  });

  test('is one in three on a resident server', () => {
    const resident = ROUNDS.filter(({ isResident }) => isResident).length;
    assert.ok(resident > 100 && resident < 170, `${resident} of 400`);
  });
});

function targetsOf(misfortune: Misfortune): string[] {
  const rounds = ROUNDS.filter((round) => round.misfortune === misfortune);
  return [...new Set(rounds.map(({ target }) => target))].sort();
}
