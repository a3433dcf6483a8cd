/** A resident server that a program holds open, without a device: none needs the driver. Needs a build, and root. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdirSync, rmSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { askResident } from '../../src/protocol/ask-resident.ts';
import { residentFiles, RUN_DIRECTORY } from '../../src/record/files.ts';
import { openServer } from '../../src/device/servers/open-server.ts';
import { startServer } from '../../src/device/servers/serve.ts';

const name = `unit-${process.pid}`;
const files = residentFiles(name);

describe('an open server', { skip: refusal() }, () => {
  after(async () => {
    if (existsSync(files.socket)) await (await openServer({ name })).end();
  });

  test('is started when there is none, is the same for everyone who opens it, and outlives who closes it', async () => {
    const server = await openServer({ name, threads: 1 });
    const other = await openServer({ name });
    assert.equal(other.pid, server.pid);
    assert.deepEqual([server.name, server.devices], [name, []]);
    await server.close();
    assert.deepEqual(await askResident({ name, path: files.socket }, { op: 'status' }), {
      pid: other.pid,
      devices: [],
    });
    await other.close();
  });

  test('says when it ends, and leaves nothing behind', async () => {
    const watched = await openServer({ name });
    const ended = once(watched, 'end');
    await using server = await openServer({ name });
    await server.end();
    await ended;
    assert.ok(!existsSync(files.socket));
    await server.end();
  });

  test('tells its end also to who closes it as soon as it has ended', async () => {
    // The event once came only after `close`, in about two of three rounds.
    for (let round = 0; round < 4; round++) {
      const heard: string[] = [];
      const server = await openServer({ name });
      server.on('end', () => heard.push('end'));
      await server.end();
      await server.close();
      assert.deepEqual(heard, ['end']);
    }
  });

  test('ends when it is asked to after it was closed, and not before', async () => {
    const server = await openServer({ name });
    await server.close();
    await server.end();
    assert.ok(!existsSync(`/proc/${server.pid}`) || !existsSync(files.lock));
    await server.end();
  });

  test('is waited for when it ends already and does not listen any more', async () => {
    const server = await openServer({ name });
    await server.close();
    rmSync(files.socket);
    await assert.rejects(server.end({ timeoutMs: 500 }), {
      code: 'EBUSY',
      message: /does not answer, and has not ended/,
    });
    const ending = server.end();
    process.kill(server.pid, 'SIGTERM');
    await ending;
    assert.ok(!existsSync(files.lock));
  });

  test('that somebody has started again is not ended by who had closed the one before', async () => {
    const before = await openServer({ name });
    await before.close();
    process.kill(before.pid, 'SIGKILL');
    await using next = await openServer({ name });
    await before.end();
    assert.equal((await askResident({ name, path: files.socket }, { op: 'status' })).pid, next.pid);
    await next.end();
  });

  test('takes options that are undefined for such as are not given, and refuses in words what it cannot be', async () => {
    await using server = await openServer({ name, threads: undefined, cpus: undefined });
    await server.end();
    const refused = { kind: 'usage', message: "`cpus` cannot be '0'" };
    await assert.rejects(openServer({ name, cpus: '0' as never }), refused);
  });

  test('is not left behind when what is told that it starts throws', async () => {
    await assert.rejects(startServer({ name }, { onWaiting: throwing }), /nobody listens/);
    assert.deepEqual(
      Object.values(files).filter((path) => existsSync(path)),
      [],
    );
  });

  test('is started again after it was killed', async () => {
    const server = await openServer({ name });
    const ended = once(server, 'end');
    process.kill(server.pid, 'SIGKILL');
    await ended;
    const next = await openServer({ name });
    assert.notEqual(next.pid, server.pid);
    await next.end();
  });
});

function throwing(): void {
  throw new Error('nobody listens');
}

function refusal(): string | false {
  try {
    mkdirSync(RUN_DIRECTORY, { recursive: true });
    accessSync(RUN_DIRECTORY, constants.W_OK);
    return false;
  } catch {
    return `${RUN_DIRECTORY} cannot be written`;
  }
}
