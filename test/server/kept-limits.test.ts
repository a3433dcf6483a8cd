/** A recovered device keeps the limits that it was made with, so the target must be able to serve them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Params } from '../../src/control/commands.ts';
import { decode, encode } from '../../src/native/uapi/codec.ts';
import { UBLK_ATTR_FUA, ublk_params } from '../../src/native/uapi/ublk-params.ts';
import { requireServable } from '../../src/server/kept-limits.ts';
import type { Handlers } from '../../src/targets/handlers/define.ts';
import { handlerParams } from '../../src/targets/handlers/params.ts';

const work = (): void => {};
const MADE: Handlers = { size: 1 << 20, read: work, write: work, discard: work };

describe('a target that is recovered', () => {
  test('may be as it was, larger, or able to do more', () => {
    requireServable(0, params(MADE), said(MADE));
    requireServable(0, params(MADE), said({ ...MADE, size: 2 << 20, writeZeroes: work }));
    requireServable(0, params({ ...MADE, flush: work, blockSize: 4096 }), said(MADE));
  });

  const noDiscard: Handlers = { size: 1 << 20, read: work, write: work };
  for (const [what, now, message] of [
    ['flush', { ...MADE, writeZeroes: work }, /cannot flush/],
    ['discard', { ...noDiscard, flush: work, writeZeroes: work }, /takes no discards/],
    ['writeZeroes', { ...MADE, flush: work }, /cannot write zeroes/],
  ] as const) {
    test(`is refused when it has lost ${what} and would refuse the kernel's requests`, () => {
      const made = { ...MADE, flush: work, writeZeroes: work };
      requireServable(0, params(made), said(made), true);
      requireServable(0, params(made), said(now));
      assert.throws(() => requireServable(0, params(made), said(now), true), { name: 'UblkError', message });
    });
  }

  test('is refused when it has lost FUA and would refuse it', () => {
    const made = params({ ...MADE, flush: work });
    const { basic = {}, ...rest } = said({ ...MADE, flush: work });
    const now = { ...rest, basic: { ...basic, attrs: (basic.attrs ?? 0) & ~UBLK_ATTR_FUA } };
    assert.throws(() => requireServable(0, made, now, true), /has no FUA/);
  });

  for (const [change, message] of [
    [{ size: 4096 }, /device 0 cannot be recovered with a target that has 4096 bytes: the device has 1048576/],
    [{ blockSize: 4096 }, /device 0 cannot be recovered .* blocks of 4096 bytes: it was made with blocks of 512/],
    [{ maxBytes: 4096 }, /takes 4096 bytes at once: it was made for 1048576/],
    [{ flush: work }, /has a `flush`: it was made without/],
    [{ readOnly: true }, /cannot be written/],
  ] as const) {
    test(`is refused when it cannot serve the device any more: ${Object.keys(change).join()}`, () => {
      assert.throws(() => requireServable(0, params(MADE), said({ ...MADE, ...change })), {
        name: 'UblkError',
        message,
      });
    });
  }
});

function said(handlers: Handlers) {
  return handlerParams(handlers, { maxIoBufBytes: 1 << 20 });
}

/** What the kernel has of a device that was made with these handlers. */
function params(handlers: Handlers): Params {
  return decode(ublk_params, encode(ublk_params, said(handlers)));
}
