/** What is drawn: widths, proportions, words. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bar, columns, levels, stack } from '../../src/monitor/drawing/charts.ts';
import { DEVICE_COLUMNS, fittingColumns } from '../../src/monitor/lines/device-columns.ts';
import { dataLines } from '../../src/monitor/lines/data.ts';
import { factLines } from '../../src/monitor/lines/facts.ts';
import { chartLines, chartsOf } from '../../src/monitor/lines/history.ts';
import { queueLines } from '../../src/monitor/lines/queues.ts';
import { ASCII, glyphsFor, UNICODE } from '../../src/monitor/drawing/glyphs.ts';
import { deviceLayout } from '../../src/monitor/panels/layout.ts';
import { clip, fit, keepEnd, type Piece, piece, widthOf, wrap } from '../../src/monitor/drawing/pieces.ts';
import { ownBufferLines } from '../../src/monitor/lines/buffers.ts';
import { type DeviceView, observe } from '../../src/watch/model/picture.ts';
import { foreignSample, sampleAt, storedBuffer, unknownSample, view } from '../watch/samples.ts';

const targetCell = (device: DeviceView, width: number) =>
  textOf(DEVICE_COLUMNS.find(({ key }) => key === 'target')?.cell(device, 'interval', UNICODE, width) ?? []);
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

  test('name the server of an nbd device, which has no files', () => {
    const uri = 'nbd://storage.example/disk1';
    const device = view({}, { target: 'nbd', sources: [uri] });
    assert.match(
      textOf(factLines(device, 'interval', 200, UNICODE)[0] ?? []),
      /LIVE {2}nbd nbd:\/\/storage\.example\/disk1 · /,
    );
    assert.match(targetCell(device, 40), /^nbd nbd:\/\/storage\.example\/disk1$/);
  });

  test("show the end of the path of somebody's own target", () => {
    assert.equal(targetCell(view({}, { target: '/srv/targets/ram.ts' }), 12), '…gets/ram.ts');
    assert.equal(targetCell(view({}, { target: 'fault_inject' }), 12), 'fault_inject');
  });

  test('the columns that tell the least leave room for the target', () => {
    for (let width = 70; width <= 220; width++) {
      const shown = fittingColumns(width);
      const target = shown.find(({ key }) => key === 'target');
      if (shown.some(({ key }) => ['shape', 'size', 'path'].includes(key)))
        assert.ok((target?.width ?? 0) >= 20, `${width}`);
    }
  });

  test('say whose a device is that is not known to be ours, and nothing of it that was not read', () => {
    const stopped = foreignSample({ state: 'DEAD', server: 'gone', serverPid: -1 });
    const { devices } = observe(null, sampleAt(0, stopped, unknownSample({ id: 1 })));
    assert.deepEqual(
      devices.map((device) => textOf(factLines(device, 'interval', 200, UNICODE)[0] ?? [])),
      [
        "/dev/ublkb0 DEAD  another program's · 1G · 2 queues × 128 requests · no server",
        '/dev/ublkb1 LIVE  unknown target · 1G · server not shown',
      ],
    );
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
