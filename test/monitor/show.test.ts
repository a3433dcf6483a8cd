/** What is drawn: widths, proportions, words. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bar, columns, levels, stack } from '../../src/monitor/drawing/charts.ts';
import { fittingColumns } from '../../src/monitor/lines/device-columns.ts';
import { dataLines } from '../../src/monitor/lines/data.ts';
import { factLines } from '../../src/monitor/lines/facts.ts';
import { chartLines, chartsOf } from '../../src/monitor/lines/history.ts';
import { queueLines } from '../../src/monitor/lines/queues.ts';
import {
  bytes,
  clockSpan,
  count,
  duration,
  megabytes,
  milliseconds,
  percent,
} from '../../src/monitor/drawing/format.ts';
import { ASCII, glyphsFor, UNICODE } from '../../src/monitor/drawing/glyphs.ts';
import { deviceLayout } from '../../src/monitor/panels/layout.ts';
import { type DeviceView, observe } from '../../src/watch/model/picture.ts';
import { clip, fit, keepEnd, type Piece, piece, widthOf, wrap } from '../../src/monitor/drawing/pieces.ts';
import { ownBufferLines } from '../../src/monitor/lines/buffers.ts';
import { verdictOf } from '../../src/monitor/lines/verdict.ts';
import {
  blockCounters,
  deviceSample,
  foreignSample,
  ownRecord,
  queueStats,
  sampleAt,
  statsPage,
  storedBuffer,
} from '../watch/samples.ts';

const textOf = (pieces: readonly Piece[]) => pieces.map(({ text }) => text).join('');

describe('charts', () => {
  test('a bar is as wide as asked, and something is never nothing', () => {
    for (const share of [0, 0.001, 0.3, 0.999, 1, 7]) {
      for (const glyphs of [UNICODE, ASCII]) {
        const { filled, rest } = bar(share, 20, glyphs);
        assert.equal(filled.length + rest.length, 20);
        assert.equal(filled.length === 0, share === 0);
      }
    }
    assert.equal(bar(0.5, 10, ASCII).filled, '#####');
  });

  test('a stack shares out all its cells, and gives one to whatever is there', () => {
    assert.deepEqual(stack([1, 1], 10), [5, 5]);
    assert.deepEqual(stack([100_000, 1, 0], 10), [9, 1, 0]);
    assert.deepEqual(stack([0, 0, 0], 10), [0, 0, 0]);
    assert.deepEqual(
      stack([1, 1, 1], 10).reduce((a, b) => a + b),
      10,
    );
  });

  test('columns show the newest values, right, against the highest', () => {
    assert.deepEqual(columns([9, 0, 4, 8], { width: 3, height: 1, top: 8 }, UNICODE), [' ▄█']);
    assert.deepEqual(columns([4, 8], { width: 3, height: 2, top: 8 }, UNICODE), ['  █', ' ██']);
    assert.deepEqual(columns([], { width: 2, height: 1, top: 0 }, UNICODE), ['  ']);
  });

  test('levels', () => assert.equal(levels([0, 1, 100], 100, UNICODE.heat), '·░█'));
});

describe('numbers', () => {
  test('have three digits that matter and a unit', () => {
    assert.deepEqual([0, 7.5, 950, 999.9, 12_345, 1_200_000].map(count), [
      '0',
      '7.5',
      '950',
      '1.00k',
      '12.3k',
      '1.20M',
    ]);
    assert.deepEqual([500, 48_200_000, 1_000_000_000].map(bytes), ['500 B', '48.2 MB', '1.00 GB']);
    assert.deepEqual([0, 100, 52_400_000, 4.2e9].map(megabytes), ['0', '<0.01', '52.4', '4.20k']);
    assert.deepEqual([null, 0.114, 12.34, 250].map(milliseconds), ['-', '0.11', '12.3', '250']);
    assert.deepEqual(
      [7.25, 96, 1500, 2_500_000].map((us) => duration(us, 'µ')),
      ['7.3 µs', '96 µs', '1.50 ms', '2.50 s'],
    );
    assert.deepEqual([5000, 90_000, 3_700_000, 300_000_000].map(clockSpan), ['5 s', '1:30', '1:01:40', '3 d 11 h']);
  });

  test('all of it is 100% and nothing is 0%, and nothing else is', () => {
    assert.deepEqual([null, 0, 0.0001, 0.5, 0.9999, 1].map(percent), ['-', '0%', '<1%', '50%', '99%', '100%']);
  });
});

describe('lines', () => {
  test('fit, clip and wrap', () => {
    assert.equal(textOf(fit([piece('ab')], 4, 'right')), '  ab');
    assert.equal(textOf(fit([piece('ab'), piece('cdef')], 4)), 'abcd');
    assert.equal(textOf(clip([piece('abc'), piece('def')], 5, '~')), 'abcd~');
    assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('/a-name-longer-than-a-line is', 10), ['/a-name-lo', 'nger-than-', 'a-line is']);
  });

  test('count columns, not characters, and show control characters escaped', () => {
    assert.equal(widthOf([piece('磁盘'), piece('e\u0301')]), 5);
    assert.equal(textOf(fit([piece('磁盘')], 6)), '磁盘  ');
    // A character of two columns is not cut in half: a blank stands for it.
    assert.equal(textOf(fit([piece('磁盘')], 3)), '磁 ');
    assert.equal(textOf(clip([piece('磁盘映像')], 6, '…')), '磁盘…');
    assert.equal(keepEnd('/磁盘/映像.img', 9, '…'), '…映像.img');
    assert.equal(piece('a\u001b[2Jb\n').text, 'a\\x1b[2Jb\\n');
    assert.deepEqual(wrap('磁盘映像', 5), ['磁盘', '映像']);
  });

  test('the device table fits every terminal, its target and matching with it', () => {
    for (let width = 70; width <= 220; width++) {
      const shown = fittingColumns(width);
      const needed = shown.reduce((sum, column) => sum + column.width + 2, 0);
      assert.ok(needed <= width, `${needed} of ${width}`);
      for (const key of ['device', 'target', 'state', 'matched']) assert.ok(shown.some((column) => column.key === key));
    }
    assert.equal(fittingColumns(200).length, 15);
  });

  test('the device view never needs more rows than there are', () => {
    for (const [width, height] of [
      [80, 20],
      [100, 30],
      [200, 56],
      [132, 20],
    ] as const) {
      for (const queues of [1, 2, 4, 8, 32]) {
        const layout = deviceLayout(width, height, { queues, charts: 4, verdictRows: 2 });
        const { gap, queueRows, chartRows, histogramRows, sideBySide } = layout;
        const left = 1 + queueRows + 1 + 2 + 2 + gap * 2;
        const right = 1 + 4 * chartRows + 1 + (histogramRows > 0 ? 2 + histogramRows : 3) + gap * 2;
        const used = 2 + (sideBySide ? Math.max(left, right) : left + right);
        // The smallest screen with the most charts may lose the last line of the histogram.
        assert.ok(used <= height + (height === 20 ? 1 : 0), `${width}x${height}, ${queues} queues: ${used} rows`);
        assert.ok(queueRows >= 1);
      }
    }
  });

  test('the facts name the device, its state and its load', () => {
    const device = view({ matched: 100 });
    const [who = [], load = []] = factLines(device, 'interval', 200, UNICODE);
    assert.match(
      textOf(who),
      /^\/dev\/ublkb0 LIVE {2}null · 1G · 2 queues × 128 requests · shmem_zc \+ copy · server pid 100/,
    );
    assert.match(textOf(load), /^100 r\/s/);
    assert.ok(widthOf(factLines(device, 'interval', 80, UNICODE)[0] ?? []) <= 80);
  });

  test('a queue says what it holds and which is the busy one', () => {
    const [first = [], second = []] = queueLines(view({ copied: 10 }), 'interval', 80, UNICODE);
    assert.match(textOf(first), /^queue 0 .*10\/s {2}busiest/);
    assert.match(textOf(second), /^queue 1 ·+ +0 of 128 +0\/s {2}idle/);
  });

  test('a chart is as wide as asked', () => {
    const device = view({ matched: 100 });
    for (const chart of chartsOf(device)) {
      for (const line of chartLines(device, chart, 80, 2, UNICODE)) assert.ok(widthOf(line) <= 80);
    }
  });

  test('the bar of all data is as wide as the panel', () => {
    const [stacked = []] = dataLines(view({ matched: 2, registered: 1, copied: 1 }), 'interval', 40, UNICODE);
    assert.equal(textOf(stacked), `${'█'.repeat(20)}${'▓'.repeat(10)}${'░'.repeat(10)}`);
  });
});

test('a buffer beside its device has its heat in little: a cell for two parts, before the source, which may be cut', () => {
  const device = view({ matched: 10 }, { buffers: [storedBuffer(0)] });
  const heat = Array.from({ length: 32 }, (_none, part) => (part < 4 ? 1 : 0));
  const [buffer] = device.buffers!;
  const hot = { ...device, buffers: [{ ...buffer!, heat: { interval: heat, total: heat } }] };
  const [text] = ownBufferLines(hot, 'interval', ASCII).map(textOf);
  assert.match(text!, / \|##\.{14}\| {2}\/mnt\/huge\/buf$/);
});

describe('the verdict', () => {
  const buffers = [storedBuffer(0)];

  test('praises what matches', () =>
    assert.match(said(view({ matched: 10 }, { buffers })), /^All .* nothing is copied/));

  test('says how to match when nothing does', () => {
    assert.match(said(view({ copied: 10 }, { buffers })), /^None .* map \/mnt\/huge\/buf MAP_SHARED .* O_DIRECT/);
  });

  test('says how much matches when some does', () => {
    assert.match(said(view({ matched: 2, copied: 1 }, { buffers })), /^67% of the requests match; the rest/);
    const readOnly = [{ ...storedBuffer(0), readOnly: true }];
    assert.match(said(view({ matched: 1, copied: 1 }, { buffers: readOnly })), /reads never match a read-only buffer/);
  });

  test('says what is missing', () => {
    assert.match(said(view({ copied: 10 }, { buffers: [] })), /No buffer is registered.*press b/);
  });

  test('knows the other data paths', () => {
    const none = { kernel: { state: 'LIVE', queues: 2, depth: 128, sharedMemory: false } } as const;
    assert.match(said(view({ registered: 10 }, {}, none)), /^Zero copy/);
    assert.match(said(view({ copied: 10 }, {}, none)), /--shmem_zc/);
  });

  test("does not guess about another program's device", () => {
    const picture = observe(null, sampleAt(0, foreignSample()));
    assert.match(said(picture.devices[0]!), /Another program serves this device \(pid 100\)/);
  });
});

describe('characters', () => {
  test('are ASCII without UTF-8, as the C library reads the environment', () => {
    assert.equal(glyphsFor({ LANG: 'C.UTF-8' }), UNICODE);
    assert.equal(glyphsFor({ LANG: 'en_GB.utf8', LC_ALL: 'C' }), ASCII);
    assert.equal(glyphsFor({}), ASCII);
    assert.equal(glyphsFor({ LANG: 'C.UTF-8', TERM: 'linux' }), ASCII);
  });

  test('of the ASCII set are ASCII, and the ways are told apart', () => {
    for (const glyph of Object.values(ASCII).flat()) assert.match(glyph as string, /^[ -~]*$/);
    for (const { matched, registered, copied } of [ASCII, UNICODE]) {
      assert.equal(new Set([matched, registered, copied]).size, 3);
    }
  });
});

function said(device: DeviceView): string {
  return verdictOf(device, 'interval').text;
}

type Ways = Partial<Record<'matched' | 'registered' | 'copied', number>>;

/** A device whose first queue has done this in the last second. */
function view(ways: Ways, own: Parameters<typeof ownRecord>[0] = {}, change: Parameters<typeof deviceSample>[0] = {}) {
  const requests = Object.values(ways).reduce((sum, one) => sum + one, 0);
  const before = deviceSample({ own: ownRecord(own), ...change });
  const after = {
    ...before,
    stats: statsPage({ queues: [queueStats(0, { ways, batches: 1, depthSum: 1 }), queueStats(1)] }),
    block: blockCounters({ reads: requests }),
  };
  return observe(observe(null, sampleAt(0, before)), sampleAt(1, after)).devices[0]!;
}
