import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { endOfFile } from '../../src/record/end-of-file.ts';
import { shortenLog } from '../../src/record/shorten-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'shorten-log-'));
const log = join(folder, 'log');
after(() => rmSync(folder, { recursive: true }));

const lines = (count: number): string => Array.from({ length: count }, (_, line) => `line ${line}\n`).join('');

test('a log that is too long keeps its last lines, and who has it open goes on behind them', () => {
  writeFileSync(log, '');
  const fd = openSync(log, 'a');
  try {
    const count = 1_000_000;
    writeSync(fd, lines(count));
    const before = readFileSync(log).length;
    shortenLog(log);
    writeSync(fd, 'later\n');
    const [first = '', ...rest] = readFileSync(log, 'utf8').trimEnd().split('\n');
    const last = rest.pop();
    assert.match(first, new RegExp(`^\\d.*Z this log had ${before} bytes: only its end is kept$`));
    assert.ok(rest.length > 50_000 && rest.join('\n').length <= 1 << 20, `${rest.length} lines are kept`);
    assert.ok(rest.every((line, index) => line === `line ${count - rest.length + index}`));
    assert.equal(last, 'later');
    assert.equal(
      endOfFile(log, before, 6),
      'later\n',
      'what was behind a place that is gone is looked for from the start',
    );
  } finally {
    closeSync(fd);
  }
});

test('a log that is not too long stays, and one that is gone is no failure', () => {
  writeFileSync(log, '');
  appendFileSync(log, lines(100_000));
  const before = readFileSync(log, 'utf8');
  shortenLog(log);
  assert.equal(readFileSync(log, 'utf8'), before);
  rmSync(log);
  shortenLog(log);
});
