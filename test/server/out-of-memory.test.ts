import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programMappings } from '../../src/server/out-of-memory.ts';

test('the code and constants of files are locked, and nothing that is written, shared or without a file', () => {
  const maps = `
00400000-00401000 r--p 00000000 fe:01 1234                               /usr/bin/node
00401000-00501000 r-xp 00001000 fe:01 1234                               /usr/bin/node
00501000-00502000 rw-p 00101000 fe:01 1234                               /usr/bin/node
7f0000000000-7f0000010000 rw-p 00000000 00:00 0 
7f0000010000-7f0000020000 r-xp 00000000 00:00 0 
7f0000020000-7f0000021000 r--s 00000000 00:1b 77                         /run/ublkts/0.stats
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
`;
  assert.deepEqual(programMappings(maps), [
    { address: 0x400000n, length: 0x1000 },
    { address: 0x401000n, length: 0x100000 },
  ]);
});
