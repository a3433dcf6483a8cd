/** Each example does what it says, as far as no kernel is needed. Needs a build. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs, { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
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
  await good('encrypted.ts', { files: [image], targetOptions: { key: join(folder, 'key') } });
  const handlers = await opened('encrypted.ts', { key: join(folder, 'key') }, [image]);
  await handlers.write?.(Buffer.alloc(8192, 'plain text, '), 0, { fua: true });
  const stored = readFileSync(image);
  assert.ok(!stored.includes('plain'));
  assert.ok(!stored.subarray(0, 4096).equals(stored.subarray(4096, 8192)), 'equal blocks look different');
  const read = Buffer.alloc(4096);
  await handlers.read(read, 4096);
  assert.ok(read.equals(Buffer.alloc(8192, 'plain text, ').subarray(4096)));
});

test('encrypted.ts: a key that cannot encrypt is refused before there is a device', async () => {
  const key = join(folder, 'weak');
  for (const [bytes, message] of [
    [Buffer.alloc(64), /the halves of .*weak are equal/],
    [randomBytes(63), /weak has 63 bytes, not 64/],
  ] as const) {
    writeFileSync(key, bytes);
    await assert.rejects(opened('encrypted.ts', { key }, [zeroes('weak.img')]), message);
  }
});

test('overlay.ts: the base stays as it was', async () => {
  const base = join(folder, 'base.img');
  const before = randomBytes(SIZE);
  writeFileSync(base, before);
  await good('overlay.ts', { files: [empty('changes.img')], targetOptions: { base } });
  assert.ok(readFileSync(base).equals(before));
});

test('overlay.ts: its map names no block whose data is not durable yet', async () => {
  const base = join(folder, 'base.img');
  const changes = empty('ordered.img');
  const handlers = await opened('overlay.ts', { base }, [changes]);
  const data = Buffer.alloc(8192, 'new');
  const calls = watchedCalls();
  await handlers.write?.(data, 4096, { fua: false });
  assert.deepEqual(calls.take(), ['writeSync', 'fdatasyncSync', 'writeSync']);
  await handlers.write?.(data, 4096, { fua: false });
  assert.deepEqual(calls.take(), ['writeSync'], 'a block that has changed before needs no more');
  calls.end();
  // The server is killed; nothing was flushed.
  const next = await opened('overlay.ts', { base }, [changes]);
  const read = Buffer.alloc(8192);
  await next.read(read, 4096);
  assert.ok(read.equals(data));
});

describe('overlay.ts: what has changed is neither cut off nor read as zeroes', () => {
  const base = join(folder, 'base.img');
  const open = (changes: string, image = base) => opened('overlay.ts', { base: image }, [changes]);

  test('with a base of another size', async () => {
    const changes = await changed('other-base.img');
    writeFileSync(join(folder, 'small.img'), randomBytes(4096));
    await assert.rejects(open(changes, join(folder, 'small.img')), /have 2097152 and 4096 bytes: .* 4096 and 8, or/);
    await assert.rejects(open(base), /base\.img\.map have 2097152 and 0 bytes/);
    await open(changes);
  });

  test('without its map, or without its data', async () => {
    const changes = await changed('lost.img');
    fs.renameSync(`${changes}.map`, `${changes}.kept`);
    await assert.rejects(open(changes), /have 2097152 and 0 bytes/);
    fs.renameSync(`${changes}.kept`, `${changes}.map`);
    truncateSync(changes, 0);
    await assert.rejects(open(changes), /have 0 and 4096 bytes/);
  });

  async function changed(name: string): Promise<string> {
    writeFileSync(base, randomBytes(SIZE));
    const changes = empty(name);
    await (await open(changes)).write?.(Buffer.alloc(4096, 'new'), SIZE - 4096, { fua: true });
    return changes;
  }
});

test('replica.ts: both files hold the same', async () => {
  const files = [zeroes('a.img'), zeroes('b.img')];
  await good('replica.ts', { files: [zeroes('c.img'), zeroes('d.img')] });
  const handlers = await opened('replica.ts', {}, files);
  await handlers.write?.(randomBytes(65_536), 4096, { fua: false });
  const [a, b] = files.map((file) => readFileSync(file));
  assert.ok(a !== undefined && b !== undefined && a.equals(b) && a.some((byte) => byte !== 0));
});

describe('replica.ts: a file that has missed a write is not used after a restart', () => {
  test('until it is a copy of the other one', async () => {
    const files = [zeroes('first.img'), zeroes('second.img')];
    const [first = '', second = ''] = files;
    const handlers = await opened('replica.ts', {}, files);
    await write(handlers, 'old');
    // The first file fails once.
    truncateSync(first, 0);
    assert.equal(await readOf(handlers), 'old');
    await write(handlers, 'new');
    truncateSync(first, SIZE);
    const before = readFileSync(second);
    before.fill('old', 8192, 8192 + 4096);
    writeFileSync(first, before.subarray(0, SIZE - 4096), { flag: 'r+' });
    assert.equal(await readOf(await opened('replica.ts', {}, files)), 'new');
    assert.equal(await readOf(await opened('replica.ts', {}, files.toReversed())), 'new');

    cpSync(second, first);
    const both = await opened('replica.ts', {}, files);
    await write(both, 'all');
    assert.ok(readFileSync(first).equals(readFileSync(second)));
  });

  test('and nobody has an answer before the other file says so', async () => {
    const files = [zeroes('broken.img'), zeroes('left.img')];
    const handlers = await opened('replica.ts', {}, files);
    truncateSync(files[0]!, 0);
    const calls = watchedCalls();
    await handlers.read(Buffer.alloc(4096), 0);
    assert.deepEqual(calls.take(), ['readSync', 'writeSync', 'fdatasyncSync', 'readSync']);
    calls.end();
  });

  test('and a file that is in use to its end is refused', async () => {
    const files = [zeroes('used.img'), zeroes('other.img')];
    writeFileSync(files[0]!, randomBytes(SIZE));
    await assert.rejects(opened('replica.ts', {}, files), /the last 4 KiB of .*used\.img are in use/);
  });
});

test('replica.ts: one file twice is refused, and so are two of different sizes', async () => {
  const [one, other] = [zeroes('one.img'), zeroes('larger.img')];
  truncateSync(other, SIZE * 2);
  await assert.rejects(opened('replica.ts', {}, [one, one]), /both are the same file/);
  await assert.rejects(
    opened('replica.ts', {}, [one, other]),
    /have 2097152 and 4194304 bytes: give two files of the same/,
  );
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
    // And one more with which `open` tries whether the server knows ranges.
    assert.equal(requests, SIZE / (256 * 1024) + 1);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('http.ts: a server that sends the whole image for each range is refused', async () => {
  const server = createServer((_, response) => response.writeHead(200, { 'content-length': SIZE }).end()).listen(0);
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.img`;
    await assert.rejects(opened('http.ts', { url }), /answers a Range request with status 200, not 206/);
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

async function opened(
  example: string,
  options: Readonly<Record<string, string>>,
  files: readonly string[] = [],
): Promise<Handlers> {
  const file = join(ROOT, 'examples', example);
  const opening = { files, options, device: -1, recovering: false, deviceBytes: 0 };
  return openHandlers(await loadDefinition(file), file, { ...opening, shared: undefined, thread: 0, threads: 1 });
}

function empty(name: string): string {
  const file = join(folder, name);
  writeFileSync(file, '');
  return file;
}

function zeroes(name: string): string {
  const file = empty(name);
  truncateSync(file, SIZE);
  return file;
}

function write(handlers: Handlers, text: string): unknown {
  return handlers.write?.(Buffer.alloc(4096, text), 8192, { fua: false });
}

async function readOf(handlers: Handlers): Promise<string> {
  const buffer = Buffer.alloc(4096);
  await handlers.read(buffer, 8192);
  return buffer.toString('latin1', 0, 3);
}

/** The calls that read, write and sync files, by name, in their order. */
function watchedCalls(): { take(): string[]; end(): void } {
  const names = ['readSync', 'writeSync', 'fdatasyncSync'] as const;
  const before = names.map((name) => fs[name]);
  const called: string[] = [];
  names.forEach((name, index) => {
    const call = before[index]!;
    Reflect.set(fs, name, (...words: unknown[]): unknown => {
      // The log's lines have no position.
      if (name !== 'writeSync' || typeof words[4] === 'number') called.push(name);
      return Reflect.apply(call, fs, words);
    });
  });
  syncBuiltinESMExports();
  const end = (): void => {
    names.forEach((name, index) => Reflect.set(fs, name, before[index]));
    syncBuiltinESMExports();
  };
  return { take: () => called.splice(0), end };
}
