/** Whether a server may have as many open files as its device needs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UblkError } from '../../src/errors.ts';
import { checkDescriptors, openFilesLimit, serverDescriptors } from '../../src/server/descriptor-budget.ts';

const NULL = { threads: 1, files: [], sharedMemory: false, buffers: [], ofTarget: 0 };

describe('the descriptors of a server', () => {
  // Counted in /proc/PID/fd of real servers, Node 26, before they held a server lock.
  const counted = [
    [34, NULL],
    [42, { ...NULL, threads: 2 }],
    [58, { ...NULL, threads: 4 }],
    [282, { ...NULL, threads: 32 }],
    [43, { ...NULL, threads: 2, files: ['a.img'] }],
  ] as const;
  for (const [open, needs] of counted) {
    test(`${needs.threads} threads and ${needs.files.length} files: ${open} open, a few more reckoned with`, () => {
      const reckoned = serverDescriptors(needs);
      assert.ok(reckoned > open && reckoned <= open + 8, `${reckoned} for ${open}`);
    });
  }

  test('a limit that is too low is refused with the number that is needed and what to type', () => {
    checkDescriptors(NULL, serverDescriptors(NULL));
    assert.throws(
      () => checkDescriptors({ ...NULL, threads: 32, files: ['a', 'b'] }, 64),
      (error) => {
        assert.ok(error instanceof UblkError);
        assert.match(error.message, /32 threads and 2 files needs 291 open files, and the limit is 64/);
        assert.match(error.hint ?? '', /`ulimit -n 512`, LimitNOFILE=512/);
        return error.code === 'EMFILE';
      },
    );
  });

  test('the limit is the hard one', () => {
    assert.equal(
      openFilesLimit('Max open files            64                   4096                 files     \n'),
      4096,
    );
    assert.equal(
      openFilesLimit('Max open files            64                   unlimited            files     \n'),
      Infinity,
    );
    assert.equal(openFilesLimit(''), Infinity);
  });
});
