/** How a server answers a command that asks for the size of a device's storage. No device is needed for that. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UblkError } from '../../src/errors.ts';
import { askServer } from '../../src/protocol/ask.ts';
import { RequestSocket } from '../../src/server/socket/listener.ts';
import { type AskForSize, StorageRequests } from '../../src/server/socket/storage-requests.ts';
import { say } from '../../tools/guest/socket-clients.ts';

const NAME = 'nbd://storage/';

test('the size that the storage says is the answer', async () => {
  await answering(
    () => Promise.resolve(2 ** 52),
    async (path) => assert.equal(await askServer(path, 7, { op: 'storage-size' }), 2 ** 52),
  );
});

test('what the storage refuses is said as the storage says it, and is not asked again', async () => {
  let asked = 0;
  const refusal = { code: 'ETIMEDOUT', command: 'greet', hint: 'it may serve another client' };
  const refuse: AskForSize = () => {
    asked++;
    return Promise.reject(new UblkError(`cannot use ${NAME}`, refusal));
  };
  await answering(refuse, (path) =>
    assert.rejects(askServer(path, 7, { op: 'storage-size' }), { ...refusal, message: `cannot use ${NAME}` }),
  );
  assert.equal(asked, 1);
});

test('a device that leaves its server does not wait for storage that says nothing', async () => {
  let signal: AbortSignal | undefined;
  const began = Promise.withResolvers<void>();
  const silent: AskForSize = (given) => {
    signal = given;
    began.resolve();
    return new Promise(() => {});
  };
  await answering(silent, async (path, leave) => {
    const asked = assert.rejects(askServer(path, 7, { op: 'storage-size' }), /device 7 left its server before nbd:/);
    await began.promise;
    await leave();
    await asked;
  });
  assert.equal(signal?.aborted, true);
});

test('it knows no other request, and takes no descriptor', async () => {
  await answering(
    () => Promise.resolve(1),
    async (path) => {
      await assert.rejects(askServer(path, 7, { op: 'list' }), /there is no request 'list'/);
      assert.equal(await say(path, Uint8Array.of(0), [0]), -95);
    },
  );
});

async function answering(
  size: AskForSize,
  use: (path: string, leave: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ublkts-storage-'));
  const requests = new StorageRequests({ device: 7, name: NAME, size });
  const socket = await RequestSocket.listen(join(folder, '7.sock'), requests);
  const leave = async (): Promise<void> => {
    requests.end();
    await socket.close();
  };
  try {
    await use(join(folder, '7.sock'), leave);
  } finally {
    await leave();
    rmSync(folder, { recursive: true });
  }
}
