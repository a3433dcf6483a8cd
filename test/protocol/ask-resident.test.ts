import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UblkError } from '../../src/errors.ts';
import { ERRNO } from '../../src/native/uapi/errno.ts';
import { askResident } from '../../src/protocol/ask-resident.ts';
import { followResident } from '../../src/protocol/follow-resident.ts';
import { encodeAnswer, encodeStatus } from '../../src/protocol/frame.ts';
import { untilHeard } from '../../src/protocol/until-heard.ts';

const NOT_TAKEN = [encodeStatus(-ERRNO.ETIMEDOUT), encodeStatus(-ERRNO.EBUSY)];
const nobody = { happened: () => {}, disconnected: () => {} };

test('a request that a server has not taken is sent again, and one that it refuses is not', async () => {
  const answers = [
    ...NOT_TAKEN,
    encodeAnswer({ ok: true, value: { devices: [] } }),
    encodeStatus(-ERRNO.EPERM),
    encodeAnswer({ ok: false, error: { message: 'the file is in use', code: 'EBUSY', kind: 'busy', command: 'open' } }),
  ];
  await withServer(answers, async (path) => {
    const server = { name: 'here', path };
    assert.deepEqual(await askResident(server, { op: 'status' }), { devices: [] });
    await assert.rejects(
      askResident(server, { op: 'status' }),
      /the server here turned the request away: .*not permitted/,
    );
    await assert.rejects(askResident(server, { op: 'status' }), /the file is in use/);
  });
  assert.equal(answers.length, 0);
});

test('who follows a server that has not taken the request asks it again', async () => {
  const answers = [...NOT_TAKEN, encodeAnswer({ ok: true, value: { pid: 7 } })];
  await withServer(answers, async (path) => {
    const following = await followResident({ name: 'here', path }, nobody);
    assert.equal(following.pid, 7);
    following.stop();
  });
});

test('a server that has closed before the request came has not taken it', async () => {
  const errors = ['EPIPE', 'EAGAIN'].map((code) => new UblkError('cannot ask', { code, command: 'connect' }));
  const value = await untilHeard(async () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return 'taken';
  });
  assert.equal(value, 'taken');
  const reset = new UblkError('cannot ask', { code: 'ECONNRESET', command: 'connect' });
  await assert.rejects(
    untilHeard(() => Promise.reject(reset)),
    reset,
  );
});

/** A server that gives each connection the next of the answers. */
async function withServer(answers: Buffer[], use: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ublkts-ask-'));
  const path = join(directory, 'socket');
  const server = createServer((client) => {
    client.once('data', () => client.end(answers.shift() ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    await use(path);
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
}
