/** When the I/O buffers of a device are given back. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mapAnonymous, type MappedMemory } from '../../src/native/memory.ts';
import { IdleBuffers } from '../../src/server/idle-buffers.ts';
import { Block, blockOffset, statsFileBytes } from '../../src/stats/layout.ts';

function device(): { stats: MappedMemory; idle: IdleBuffers; request: (block: number) => void; rests: () => number } {
  const stats = mapAnonymous(statsFileBytes(2), 'of statistics');
  let rests = 0;
  const statsBlocks = [
    [0, -1],
    [-1, 1],
  ];
  return {
    stats,
    idle: new IdleBuffers({ stats, statsBlocks }, { rest: () => void rests++ }),
    request: (block) => void stats.words()[blockOffset(block) / 4 + Block.arrived]!++,
    rests: () => rests,
  };
}

describe('the I/O buffers of a device', () => {
  test('are given back once when nothing has come between two looks, on any queue', () => {
    const { idle, request, rests } = device();
    for (let look = 0; look < 3; look++) idle.look();
    assert.equal(rests(), 0, 'nothing was ever used');
    for (const block of [0, 1]) {
      const before = rests();
      request(block);
      idle.look();
      request(block);
      idle.look();
      assert.equal(rests(), before, 'it is in use');
      for (let look = 0; look < 3; look++) idle.look();
      assert.equal(rests(), before + 1);
    }
  });

  test('are not looked at when the device is about to go', () => {
    const { idle, request, rests, stats } = device();
    request(0);
    idle.look();
    idle.stop();
    stats.unmap();
    idle.look();
    assert.equal(rests(), 0);
  });
});
