import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { type ProgressStream, withProgress } from '../../src/cli/running/progress.ts';

const ERASE = '\r\u001b[2K';

describe('what a command waits for', () => {
  test('is not said in the first half second', async () => {
    const written = await shown(async ({ report, pass }) => {
      pass(400);
      report('waiting for the queues');
    });
    assert.equal(written, '');
  });

  test('is said after it, changes with what the library reports, and is erased', async () => {
    const written = await shown(async ({ report, pass }) => {
      pass(500);
      report('waiting for the server (pid 12) to leave');
      report('waiting for the server (pid 12) to leave');
    });
    assert.equal(
      written,
      `${ERASE}waiting for the device ...${ERASE}waiting for the server (pid 12) to leave ...${ERASE}`,
    );
  });

  test('is the last report when nothing was said before', async () => {
    const written = await shown(async ({ report, pass }) => {
      report('waiting for /dev/ublkb0');
      pass(500);
    });
    assert.equal(written, `${ERASE}waiting for /dev/ublkb0 ...${ERASE}`);
  });

  test('stays on one line, whatever is in it', async () => {
    const written = await shown(async ({ report, pass }) => {
      pass(500);
      report(`waiting for ${'x'.repeat(100)}\n`);
    });
    const last = written.split(ERASE).at(-2) ?? '';
    assert.ok(last.length < 60 && !last.includes('\n'), last);
  });

  test('is there on a terminal that does not know its width', async () => {
    const written = await shown(async ({ pass }) => pass(500), true, 0);
    assert.equal(written, `${ERASE}waiting for the device ...${ERASE}`);
  });

  test('is erased before an error is printed', async () => {
    const written = await shown(async ({ pass }) => {
      pass(500);
      throw new Error('refused');
    });
    assert.equal(written, `${ERASE}waiting for the device ...${ERASE}`);
  });

  test('is nothing when nobody reads along', async () => {
    const written = await shown(async ({ pass }) => pass(500), false);
    assert.equal(written, '');
  });
});

interface Work {
  readonly report: (what: string) => void;
  readonly pass: (ms: number) => void;
}

/** What is written to a terminal while this work is done, or fails. */
async function shown(work: (tools: Work) => Promise<void>, wanted = true, columns = 60): Promise<string> {
  mock.timers.enable({ apis: ['setTimeout'] });
  let written = '';
  const stream: ProgressStream = { isTTY: true, columns, write: (text) => (written += text) };
  const doing = withProgress(wanted, 'waiting for the device', (report) => work({ report, pass }), stream);
  await doing.catch(() => undefined).finally(() => mock.timers.reset());
  return written;
}

function pass(ms: number): void {
  mock.timers.tick(ms);
}
