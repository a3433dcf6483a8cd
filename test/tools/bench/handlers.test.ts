import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HANDLERS_ROWS, type HandlersCell, type ServerName } from '../../../tools/bench/handlers/rows.ts';
import { markdown, missed } from '../../../tools/bench/handlers/table.ts';

function cells(costs: Readonly<Partial<Record<ServerName, number>>>): HandlersCell[] {
  return HANDLERS_ROWS.flatMap(({ name: row }) =>
    Object.entries(costs).map(([server, cost]) => ({ server: server as ServerName, row, cost, inServer: 1 })),
  );
}

test('a row of handlers that is below its bound is named, and those of other sizes are not judged', () => {
  assert.deepEqual(missed(cells({ C: 20_000, 'ram.ts': 23_000, 'later.ts': 39_000 })), []);
  const slow = missed(cells({ C: 20_000, 'ram.ts': 24_000, 'later.ts': 42_000 }));
  assert.deepEqual(slow, [
    'ram.ts, QD 1 4k read: 0.833 of C, less than 0.85',
    'ram.ts, QD 1 4k write: 0.833 of C, less than 0.85',
    'ram.ts, QD 32 4k read: 0.833 of C, less than 0.85',
    'later.ts, QD 32 4k read: 0.476 of C, less than 0.5',
    'ram.ts, QD 32 4k write: 0.833 of C, less than 0.85',
    'later.ts, QD 32 4k write: 0.476 of C, less than 0.5',
  ]);
});

test('a server that was not measured has dashes in the table of handlers', () => {
  const [head = '', , first = ''] = markdown(cells({ 'ram.ts': 1234 })).split('\n');
  assert.equal(head.split('|').length, first.split('|').length);
  assert.match(first, /^\| QD 1 4k read \| - \| - \| 1,234 \| - \| - \| - \|/);
});
