import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ERRNO } from '../../src/native/uapi/errno.ts';
import { askResident } from '../../src/protocol/ask-resident.ts';
import { encodeAnswer, encodeStatus } from '../../src/protocol/frame.ts';

test('a request that a server has not taken is sent again, and one that it refuses is not', async () => {
  const answers = [
    encodeStatus(-ERRNO.ETIMEDOUT),
    encodeStatus(-ERRNO.EBUSY),
    encodeAnswer({ ok: true, value: { devices: [] } }),
    encodeStatus(-ERRNO.EPERM),
  ];
  const directory = mkdtempSync(join(tmpdir(), 'ublkts-ask-'));
  const path = join(directory, 'socket');
  const server = createServer((client) => {
    client.once('data', () => client.end(answers.shift() ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    const to = { name: 'here', path };
    assert.deepEqual(await askResident(to, { op: 'status' }), { devices: [] });
    await assert.rejects(
      askResident(to, { op: 'status' }),
      /the server here turned the request away: .*EPERM|not permitted/,
    );
    assert.equal(answers.length, 0);
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});
