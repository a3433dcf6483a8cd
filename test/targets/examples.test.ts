/** Each example does what it says, as far as no kernel is needed. Needs a build. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type CheckOptions, checkTarget } from '../../src/targets/check/check.ts';
import type { Handlers } from '../../src/targets/handlers/define.ts';
import { openHandlers } from '../../src/targets/handlers/open.ts';
import { loadDefinition } from '../../src/targets/load/load.ts';
import { ROOT } from '../cli/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-examples-'));
after(() => rmSync(folder, { recursive: true }));

const SIZE = 2 << 20;

test('encrypted.ts: the file holds no plain text', async () => {
  const image = zeroes('encrypted.img');
  writeFileSync(join(folder, 'key'), randomBytes(64));
  await good('encrypted.ts', { targetOptions: { file: image, key: join(folder, 'key') } });
  const handlers = await opened('encrypted.ts', { file: image, key: join(folder, 'key') });
  await handlers.write?.(Buffer.alloc(8192, 'plain text, '), 0, { fua: true });
  const stored = readFileSync(image);
  assert.ok(!stored.includes('plain'));
  assert.ok(!stored.subarray(0, 4096).equals(stored.subarray(4096, 8192)), 'equal blocks look different');
  const read = Buffer.alloc(4096);
  await handlers.read(read, 4096);
  assert.ok(read.equals(Buffer.alloc(8192, 'plain text, ').subarray(4096)));
});

test('overlay.ts: the base stays as it was', async () => {
  const base = join(folder, 'base.img');
  const before = randomBytes(SIZE);
  writeFileSync(base, before);
  await good('overlay.ts', { targetOptions: { base, changes: join(folder, 'changes.img') } });
  assert.ok(readFileSync(base).equals(before));
});

test('replica.ts: both files hold the same', async () => {
  const files = [zeroes('a.img'), zeroes('b.img')];
  await good('replica.ts', { files });
  const [a, b] = files.map((file) => readFileSync(file));
  assert.ok(a !== undefined && b !== undefined && a.equals(b) && a.some((byte) => byte !== 0));
});

test('http.ts: fetches each part of the image once', async () => {
  const image = randomBytes(SIZE);
  let requests = 0;
  const server = createServer((request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined) response.writeHead(200, { 'content-length': SIZE }).end();
    else {
      requests++;
      response.writeHead(206).end(image.subarray(Number(from), Number(to) + 1));
    }
  }).listen(0);
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.img`;
    await good('http.ts', { targetOptions: { url } });
    assert.equal(requests, SIZE / (256 * 1024));
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

async function good(example: string, options: Partial<CheckOptions>): Promise<void> {
  const findings = await checkTarget(join(ROOT, 'examples', example), {
    files: [],
    targetOptions: {},
    readOnly: false,
    ...options,
  });
  assert.deepEqual(
    findings.filter(({ status }) => status !== 'ok'),
    [],
  );
}

async function opened(example: string, options: Readonly<Record<string, string>>): Promise<Handlers> {
  const file = join(ROOT, 'examples', example);
  const opening = { files: [], options, device: -1, recovering: false, deviceBytes: 0 };
  return openHandlers(await loadDefinition(file), file, { ...opening, shared: undefined, thread: 0, threads: 1 });
}

function zeroes(name: string): string {
  const file = join(folder, name);
  writeFileSync(file, '');
  truncateSync(file, SIZE);
  return file;
}
