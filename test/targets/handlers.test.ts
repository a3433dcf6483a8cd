/** Byte handlers as far as no kernel is needed: options, what open returns, the kernel's limits, errors. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { UblkError } from '../../src/errors.ts';
import type { Handlers } from '../../src/targets/handlers/define.ts';
import { BlockError, errnoOf } from '../../src/targets/handlers/errors.ts';
import { Failures } from '../../src/targets/handlers/failures.ts';
import { setUp } from '../../src/targets/handlers/open.ts';
import { requireHandlers } from '../../src/targets/handlers/handlers.ts';
import { flag, integer, parseOptions, path, recordedOptions, size, text } from '../../src/targets/handlers/options.ts';
import { handlerParams } from '../../src/targets/handlers/params.ts';
import { lengthOf, offsetOf } from '../../src/targets/handlers/request.ts';
import { ERRNO } from '../../src/native/uapi/errno.ts';
import { UBLK_IO_OP_FLUSH, UBLK_IO_OP_READ } from '../../src/native/uapi/ublk-io.ts';

const KINDS = {
  size: size({ summary: 's', default: '1G', multipleOf: 512 }),
  count: integer({ summary: 'c', min: 1, max: 9 }),
  mode: text({ summary: 'm', default: 'fast', choices: ['fast', 'safe'] }),
  sync: flag({ summary: 'f' }),
  file: path({ summary: 'p', required: true }),
};

describe('the options of a target', () => {
  test('become values, with their defaults', () => {
    const values = parseOptions(KINDS, { file: '/a', count: '3', sync: 'on', size: '64k' });
    assert.deepEqual(values, { size: 65_536, count: 3, mode: 'fast', sync: true, file: '/a' });
    // The types say the same: a default or `required` leaves nothing undefined.
    const sum: number = values.size + (values.count ?? 0);
    assert.equal(sum, 65_539);
  });

  test('can be called like what every object has', () => {
    const kinds = { constructor: size({ summary: 'c', default: 512 }) };
    assert.deepEqual(Object.entries(parseOptions(kinds, {})), [['constructor', 512]]);
    assert.deepEqual(recordedOptions({ constructor: path({ summary: 'p' }) }, {}), {});
  });

  for (const [given, message] of [
    [{ file: '/a', size: '513' }, /`targetOptions.size` 513 is 513 bytes, not a multiple of 512/],
    [{ file: '/a', count: '10' }, /"10" is out of range/],
    [{ file: '/a', count: '1.5' }, /is not a whole number/],
    [{ file: '/a', mode: 'slow' }, /is none of its values/],
    [{ file: '/a', sync: 'perhaps' }, /is neither yes nor no/],
    [{}, /the target needs `targetOptions.file`: p/],
  ] as const) {
    test(`are refused in words: ${JSON.stringify(given)}`, () => {
      assert.throws(() => parseOptions(KINDS, given), { name: 'UblkError', message });
    });
  }

  test('are recorded so that they mean the same in every directory', () => {
    assert.deepEqual(recordedOptions(KINDS, { file: 'a.img', mode: 'safe' }), {
      file: `${process.cwd()}/a.img`,
      mode: 'safe',
    });
    const kinds = { file: path({ summary: 'p', default: 'disk.img' }) };
    assert.deepEqual(recordedOptions(kinds, {}), { file: `${process.cwd()}/disk.img` });
  });
});

const read = (): void => {};

describe('what open returns', () => {
  for (const [value, message] of [
    [undefined, /it returned no object/],
    [{ size: 512 }, /`read` is not a function/],
    [{ size: 0, read }, /`size` is 0: a device has at least one block, of 512 bytes/],
    [{ size: 2 ** 53, read }, /`size` is 9007199254740992, more than 2\^53 - 1/],
    [{ size: 513, read }, /`size` is 513, not a multiple of the block of 512 bytes/],
    [{ size: 4096, read, blockSize: 8192 }, /`blockSize` is 8192, not one of/],
    [{ size: 4096, read, physicalBlockSize: 2 ** 29 }, /`physicalBlockSize` is 536870912, not a power of two up to/],
    [{ size: 4096, read, maxBytes: 512 }, /`maxBytes` is 512, less than 4096/],
    [{ size: 4096, read, write: 1 }, /`write` is number, not function/],
    [{ size: 4096, read, concurrency: 0 }, /`concurrency` is 0, not a whole number from 1 up/],
    [{ size: 4096, read, concurrency: Infinity }, /`concurrency` is Infinity, not a whole number/],
    [{ size: 4096, read, timeout: 0 }, /`timeout` is 0/],
    [{ size: 4096, read, readOnly: false }, /`readOnly` is false, and there is no `write`/],
  ] as const) {
    test(`is refused in words: ${message.source}`, () => {
      assert.throws(() => requireHandlers(value, '/ram.ts'), { name: 'UblkError', message });
    });
  }

  test('becomes the limits of the kernel: only what has a handler is offered', () => {
    const request = { maxIoBufBytes: 1 << 20 };
    const plain = handlerParams({ size: 1 << 20, read }, request);
    assert.deepEqual([plain.basic?.attrs, plain.basic?.dev_sectors, plain.discard], [1, 2048, undefined]);
    const all: Handlers = { size: 1 << 20, blockSize: 4096, read, write: read, flush: read, discard: read };
    const { basic, discard } = handlerParams(all, request);
    assert.deepEqual([basic?.attrs, basic?.logical_bs_shift, basic?.max_sectors], [12, 12, 2048]);
    assert.deepEqual([discard?.max_discard_sectors, discard?.max_write_zeroes_sectors], [(2 ** 31 - 4096) / 512, 0]);
  });
});

test('an error reaches the client by its code where the block layer has it, and as EIO elsewhere', () => {
  assert.equal(errnoOf(new BlockError('ENOSPC')), ERRNO.ENOSPC);
  assert.equal(errnoOf(Object.assign(new Error('x'), { code: 'ETIMEDOUT' })), ERRNO.ETIMEDOUT);
  for (const other of [new Error('x'), Object.assign(new Error('x'), { code: 'EACCES' }), 'x', null, undefined]) {
    assert.equal(errnoOf(other), ERRNO.EIO);
  }
});

test('a value that has no text, or throws when it is looked at, is the EIO of one request', () => {
  const failures = new Failures('/ram.ts');
  const trap = Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('not this either');
    },
  });
  for (const thrown of [Object.create(null), trap, Object.assign(new Error(), { message: 5 })]) {
    assert.equal(failures.note(thrown, 'read'), ERRNO.EIO);
  }
});

test('offsets and lengths are exact beyond 2^32 sectors', () => {
  assert.equal(offsetOf({ op: UBLK_IO_OP_READ, startLo: -1, startHi: 0 }), (2 ** 32 - 1) * 512);
  assert.equal(
    offsetOf({ op: UBLK_IO_OP_FLUSH, startLo: -1, startHi: -1 }),
    0,
    'the kernel gives a flush such a place',
  );
  assert.equal(offsetOf({ op: UBLK_IO_OP_READ, startLo: 1, startHi: 1 }), 2 ** 41 + 512);
  assert.equal(lengthOf({ sectors: 1 << 22 }), 2 ** 31);
});

test('an error of another copy of this package is known', () => {
  const foreign = { [Symbol.for('ublkts.UblkError')]: true };
  assert.ok(foreign instanceof UblkError);
});

describe('`setup` of a target', () => {
  test('that never settles is given up after a minute', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const definition = { summary: 's', setup: () => new Promise(() => {}), open: () => ({ size: 512, read() {} }) };
    const opening = { files: [], options: {}, device: 7, recovering: false, deviceBytes: 0 };
    const set = setUp(definition, '/srv/never.ts', opening);
    await setImmediate();
    t.mock.timers.tick(60_000);
    const message = '`setup` of target /srv/never.ts has not answered within 60 s';
    await assert.rejects(set, { code: 'TIMEOUT', kind: 'failed', message, hint: /^let `setup` throw/ });
  });
});
