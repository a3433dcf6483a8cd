import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hintsOf } from '../../src/monitor/keys/hints.ts';
import { press } from '../../src/monitor/keys/press.ts';
import type { KeyName, Outcome, Situation } from '../../src/monitor/keys/situation.ts';
import { BINDINGS } from '../../src/monitor/keys/table.ts';
import { observe, type Picture } from '../../src/watch/model/picture.ts';
import { firstScreen, type Screen, shownDevices } from '../../src/monitor/screen.ts';
import { deviceSample, foreignSample, ownRecord, sampleAt, storedBuffer, unknownSample } from '../watch/samples.ts';

const withBuffer = deviceSample({ own: ownRecord({ buffers: [storedBuffer(3)] }) });
const loop = deviceSample({ id: 1, own: ownRecord({ target: 'loop', files: ['/images/disk.img'] }) });
const picture = observe(null, sampleAt(0, withBuffer, loop, foreignSample({ id: 2 })));

function start(change: Partial<Screen> = {}, more: Partial<Situation> = {}): Situation {
  const screen = { ...firstScreen({ intervalMs: 1000 }), ...change };
  return { screen, picture, readOnly: false, farewell: null, ...more };
}

/** Each key on what the one before left. */
function after(situation: Situation, ...keys: KeyName[]): Outcome {
  let outcome: Outcome = { screen: situation.screen };
  for (const key of keys) outcome = press({ ...situation, screen: outcome.screen }, key);
  return outcome;
}

function pointed(...keys: KeyName[]): number | null {
  return after(start(), ...keys).screen.device;
}

function ids(...keys: KeyName[]): number[] {
  return shownDevices(picture, after(start(), ...keys).screen).map(({ id }) => id);
}

describe('moving', () => {
  test('goes through the devices and stops at the ends', () => {
    assert.equal(pointed('j'), 1);
    assert.equal(pointed('down', 'down', 'down', 'down'), 2);
    assert.equal(pointed('j', 'k', 'up'), 0);
    assert.equal(pointed('end'), 2);
    assert.equal(pointed('G', 'g'), 0);
  });

  test('Enter opens the device pointed at, Esc goes back', () => {
    const opened = after(start(), 'j', 'enter').screen;
    assert.deepEqual([opened.view, opened.device], ['device', 1]);
    assert.equal(after(start(), 'j', 'enter', 'esc').screen.view, 'devices');
  });

  test('Tab and the digits choose a view', () => {
    assert.equal(after(start(), 'tab').screen.view, 'device');
    assert.equal(after(start(), 'shift-tab').screen.view, 'events');
    assert.equal(after(start(), '3').screen.view, 'buffers');
    assert.equal(after(start(), '4', 'tab').screen.view, 'devices');
  });

  test('left and right choose another device', () => {
    assert.equal(after(start({ view: 'device', device: 0 }), 'l').screen.device, 1);
    assert.equal(after(start({ view: 'device', device: 0 }), 'left').screen.device, 2);
  });
});

describe('looking', () => {
  test('a filter works while it is typed, Enter keeps it, Esc clears it', () => {
    const typed = after(start(), '/', 'l', 'o', 'o', 'p').screen;
    assert.deepEqual(
      shownDevices(picture, typed).map(({ id }) => id),
      [1],
    );
    assert.equal(after(start(), '/', 'x', 'backspace', 'l', 'enter').screen.filter, 'l');
    assert.equal(after(start(), '/', 'l', 'enter', 'esc').screen.filter, '');
    assert.equal(after(start(), '/', 'q', 'esc').quit, undefined);
  });

  test('s sorts by the next column, r the other way round', () => {
    assert.deepEqual(ids('r'), [2, 1, 0]);
    assert.deepEqual(ids('s'), [2, 1, 0]);
    assert.deepEqual(ids('s', 'r'), [0, 1, 2]);
  });

  test('t shows totals, f freezes, + and - change the interval', () => {
    assert.equal(after(start(), 't').screen.period, 'total');
    assert.equal(after(start(), 'f').screen.frozen, picture);
    assert.equal(after(start(), 'f', 'f').screen.frozen, null);
    assert.equal(after(start(), '+').screen.intervalMs, 2000);
    assert.equal(after(start(), '-', '-').screen.intervalMs, 200);
    assert.equal(after(start({ intervalMs: 60_000 }), '+').screen.intervalMs, 60_000);
  });
});

describe('changing', () => {
  test('d asks, naming what goes, and y deletes it', () => {
    const { question } = after(start(), 'j', 'd').screen;
    assert.equal(question?.title, 'Delete ublkb1?');
    assert.match(question?.lines.join(' ') ?? '', /loop \/images\/disk\.img, 1G.*pid 100/);
    assert.deepEqual(after(start(), 'j', 'd', 'y').action, { kind: 'delete', device: 1 });
    for (const no of ['n', 'esc', 'q']) {
      const outcome = after(start(), 'd', no);
      assert.equal(outcome.action, undefined);
      assert.equal(outcome.screen.question, null);
    }
  });

  test('a key that is no answer is none', () => {
    const outcome = after(start(), 'd', 'j', 'enter');
    assert.equal(outcome.action, undefined);
    assert.equal(outcome.screen.question?.title, 'Delete ublkb0?');
  });

  test('u unregisters the buffer pointed at, after a question', () => {
    assert.match(after(start(), '3', 'u').screen.question?.lines.join(' ') ?? '', /\/mnt\/huge\/buf, 4M, of ublkb0/);
    assert.deepEqual(after(start(), '3', 'u', 'y').action, { kind: 'unregister', device: 0, index: 3 });
  });

  test('b takes a path, and Tab says read-only', () => {
    assert.deepEqual(after(start(), 'b', '/', 'b', 'tab', 'enter').action, {
      kind: 'register',
      device: 0,
      path: '/b',
      readOnly: true,
    });
    assert.equal(after(start(), 'b', '/', 'esc').action, undefined);
  });

  test('R recovers a device that waits for a server, and no other', () => {
    const quiesced = deviceSample({ state: 'QUIESCED', kernel: { queues: 2, depth: 128, sharedMemory: false } });
    const waiting = observe(null, sampleAt(0, quiesced));
    assert.deepEqual(after(start({}, { picture: waiting }), 'R').action, { kind: 'recover', device: 0 });
    const refused = after(start(), 'R');
    assert.equal(refused.action, undefined);
    assert.match(refused.screen.message?.text ?? '', /ublkb0 has its server/);
  });

  test('what cannot be done says why', () => {
    assert.match(after(start(), 'G', 'b').screen.message?.text ?? '', /^b: ublkb2 is another program's$/);
    const plain = deviceSample({ state: 'LIVE', kernel: { queues: 1, depth: 1, sharedMemory: false } });
    const refused = after(start({}, { picture: observe(null, sampleAt(0, plain)) }), 'b');
    assert.match(refused.screen.message?.text ?? '', /without --shmem_zc/);
  });

  test("a device that could not be read is not said to be another program's", () => {
    const unknown = start({}, { picture: observe(null, sampleAt(0, unknownSample())) });
    assert.equal(after(unknown, 'b').screen.message?.text, 'b: it is not known which program serves ublkb0');
    assert.deepEqual(after(unknown, 'd').screen.question?.lines, [
      '/dev/ublkb0: unknown target, 1G',
      'Its server stops.',
    ]);
  });

  test('with --read-only nothing does', () => {
    for (const key of ['d', 'b', 'R']) {
      const outcome = after(start({}, { readOnly: true }), key);
      assert.equal(outcome.action, undefined);
      assert.equal(outcome.screen.question, null);
      assert.equal(outcome.screen.typing, null);
      assert.match(outcome.screen.message?.text ?? '', /--read-only/);
    }
  });
});

describe('leaving', () => {
  test('q leaves, or asks first when more ends than the monitor', () => {
    assert.equal(after(start(), 'q').quit, true);
    const farewell = { title: 'Stop ublkb0?', lines: [], yes: 'stop it', does: 'quit' } as const;
    assert.equal(after(start({}, { farewell }), 'q').quit, undefined);
    assert.equal(after(start({}, { farewell }), 'q', 'y').quit, true);
  });

  test('the help goes away with any key, and that key does nothing else', () => {
    const outcome = after(start(), '?', 'q');
    assert.equal(outcome.quit, undefined);
    assert.equal(outcome.screen.help, false);
  });
});

describe('every key that is offered', () => {
  const pictures: Picture[] = [
    picture,
    observe(null, sampleAt(0)),
    observe(
      null,
      sampleAt(0, deviceSample({ state: 'QUIESCED', kernel: { queues: 1, depth: 1, sharedMemory: false } })),
    ),
  ];

  test('does something', () => {
    for (const candidate of pictures) {
      for (const view of ['devices', 'device', 'buffers', 'events'] as const) {
        for (const readOnly of [false, true]) {
          const situation = start({ view }, { picture: candidate, readOnly });
          for (const { label } of hintsOf(situation)) {
            const binding = BINDINGS.find((one) => one.label === label);
            const { screen, ...done } = press(situation, binding?.keys[0] ?? '');
            const changed = Object.keys(done).length > 0 || JSON.stringify(screen) !== JSON.stringify(situation.screen);
            assert.ok(changed, `${label} in ${view}`);
            assert.notEqual(screen.message?.severity, 'warning', `${label} in ${view}: ${screen.message?.text}`);
          }
        }
      }
    }
  });

  test('is in the help, and each key means one thing', () => {
    const keys = BINDINGS.flatMap((binding) => binding.keys);
    assert.equal(new Set(keys).size, keys.length);
    for (const { help } of BINDINGS) assert.notEqual(help, '');
  });
});
