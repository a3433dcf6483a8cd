/** What a server gives back of a device, and in which order. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Held } from '../../src/server/held.ts';

function held(log: string[]): Held {
  const all = new Held();
  const device = (name: string) => all.add(() => void log.push(name));
  device('channel');
  device('char device');
  all.add((isIdle) => void log.push(`shared memory ${isIdle ? 'unmapped' : 'replaced'}`));
  all.addMemory((isIdle) => log.push(`buffers ${isIdle ? 'unmapped' : 'replaced'}`));
  all.setThreads(async () => {
    await Promise.resolve();
    log.push('threads');
  });
  all.setLock(() => void log.push('lock'));
  device('socket');
  return all;
}

describe('what a server holds of a device', () => {
  test('is given back last first, and its memory when no thread is left', async () => {
    const log: string[] = [];
    const all = held(log);
    await all.leave();
    assert.deepEqual(log.splice(0), ['socket', 'shared memory unmapped', 'char device', 'channel', 'lock']);
    await all.free();
    assert.deepEqual(log.splice(0), ['threads', 'buffers unmapped']);
    await all.giveUp();
    assert.deepEqual(log, [], 'once');
  });

  test('of a device that is given up: its threads first, and addresses that may be in use stay taken', async () => {
    const log: string[] = [];
    await held(log).giveUp();
    assert.deepEqual(log, [
      'threads',
      'socket',
      'shared memory replaced',
      'char device',
      'channel',
      'lock',
      'buffers replaced',
    ]);
  });

  test('is all given back, although a part of it fails', async () => {
    const log: string[] = [];
    const all = held(log);
    all.add(() => {
      throw new Error('no');
    });
    await all.giveUp();
    assert.equal(log.length, 7);
  });
});
