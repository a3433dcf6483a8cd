/** The sentence on how a client's data travels, as the monitor and its JSON lines have it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DeviceView, observe } from '../../src/watch/model/picture.ts';
import { verdictOf } from '../../src/watch/model/verdict.ts';
import { verdictsOf } from '../../src/watch/verdicts.ts';
import { jsonLine } from '../../src/watch/output/json-lines.ts';
import { foreignSample, pictureWith, sampleAt, storedBuffer, view } from './samples.ts';

describe('the verdict', () => {
  const buffers = [storedBuffer(0)];

  test('praises what matches', () =>
    assert.match(said(view({ matched: 10 }, { buffers })), /^All .* nothing is copied/));

  test('says how to match when nothing does', () => {
    assert.match(
      said(view({ copied: 10 }, { buffers })),
      /^None .* map \/mnt\/huge\/buf MAP_SHARED .* O_DIRECT .*mmapshared/,
    );
  });

  test('says how much matches when some does', () => {
    assert.match(said(view({ matched: 2, copied: 1 }, { buffers })), /^67% of the requests match; the rest/);
    const readOnly = [{ ...storedBuffer(0), readOnly: true }];
    assert.match(said(view({ matched: 1, copied: 1 }, { buffers: readOnly })), /reads never match a read-only buffer/);
  });

  test('says what is missing', () => {
    assert.match(said(view({ copied: 10 }, { buffers: [] })), /No buffer is registered.*`ublkts reg-buf -n 0 FILE`/);
  });

  test('knows the other data paths', () => {
    const none = { state: 'LIVE', kernel: { queues: 2, depth: 128, sharedMemory: false } } as const;
    assert.match(said(view({ registered: 10 }, {}, none)), /^Zero copy/);
    assert.match(said(view({ copied: 10 }, {}, none)), /--shmem_zc/);
  });

  test("does not guess about another program's device", () => {
    const picture = observe(null, sampleAt(0, foreignSample()));
    assert.match(said(picture.devices[0]!), /^Another program serves this device \(pid 100\): how its data/);
    const stopped = observe(null, sampleAt(0, foreignSample({ state: 'DEAD', server: 'gone', serverPid: -1 })));
    assert.match(said(stopped.devices[0]!), /^This device is another program's: how its data travels is not known/);
  });
});

test('a caller that looks once gets the verdicts on the time since the servers started', async () => {
  const { sample } = pictureWith({ matched: 2, copied: 1 }, { buffers: [storedBuffer(0)] });
  const other = { ...sample.devices[0]!, id: 1 };
  let closed = 0;
  const source = {
    take: () => Promise.resolve({ ...sample, devices: [...sample.devices, other] }),
    close: () => void closed++,
  };
  const verdicts = await verdictsOf([0], source);
  assert.deepEqual([...verdicts.keys()], [0]);
  assert.match(verdicts.get(0) ?? '', /^67% of the requests match/);
  assert.equal(closed, 1);
});

test('a line of JSON has the verdict on its interval and on the time before', () => {
  const line = JSON.parse(jsonLine(pictureWith({ copied: 10 }, { buffers: [] }), [])) as Line;
  for (const { verdict } of [line.devices[0]!.interval, line.devices[0]!.total]) {
    assert.equal(verdict.severity, 'warning');
    assert.match(verdict.text, /^No buffer is registered/);
  }
});

interface Line {
  readonly devices: readonly Record<'interval' | 'total', { verdict: { severity: string; text: string } }>[];
}

function said(device: DeviceView): string {
  return verdictOf(device, 'interval').text;
}
