import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { UblkError } from '../../src/errors.ts';
import { exchange } from '../../src/protocol/exchange.ts';

const directory = mkdtempSync(join(tmpdir(), 'ublkts-silence-'));
after(() => rmSync(directory, { recursive: true }));

describe('a server that does not answer', () => {
  test('is waited for until the time is over', async () => {
    const path = join(directory, 'silent');
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await assert.rejects(ask(path, 500), { code: 'TIMEOUT', message: 'the server here did not answer within 0.5 s' });
    server.close();
  });

  test('is named with its process when a signal has stopped it, and with what lets it go on', async () => {
    const path = join(directory, 'stopped');
    const script = `require('net').createServer(() => {}).listen(${JSON.stringify(path)}, () => console.log('listens'))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      child.kill('SIGSTOP');
      await assert.rejects(ask(path, 500), (error: UblkError) => {
        assert.equal(error.message, `the server here (pid ${child.pid}) is stopped (state T) and does not answer`);
        assert.equal(error.hint, `\`kill -CONT ${child.pid}\` lets it go on`);
        return true;
      });
    } finally {
      child.kill('SIGKILL');
    }
  });
});

function ask(path: string, timeoutMs: number): Promise<Buffer> {
  return exchange({ path, request: Buffer.from('hello'), server: 'the server here', timeoutMs, failed });
}

function failed(cause: NodeJS.ErrnoException): UblkError {
  return new UblkError('it broke', { code: cause.code ?? 'EIO', command: 'connect' });
}
