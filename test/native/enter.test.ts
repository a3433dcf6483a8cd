/** io_uring_enter through a library that is made in memory: against a real io_uring of this kernel where it has one. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { loadEnter } from '../../src/native/libc/enter.ts';
import { enterCode } from '../../src/native/libc/enter-code.ts';
import { sharedObject } from '../../src/native/libc/shared-object.ts';
import { mapAnonymous, PAGE_SIZE } from '../../src/native/memory.ts';

const EBADF = 9;

describe('io_uring_enter', () => {
  test('arrives in the kernel, and two of them are two', () => {
    const memory = mapAnonymous(2 * PAGE_SIZE, 'of a test');
    const first = loadEnter({ fd: -1, flags: 0, words: memory.words(0, 2), address: memory.address });
    const second = loadEnter({
      fd: -1,
      flags: 1 << 30,
      words: memory.words(PAGE_SIZE, 2),
      address: memory.address + BigInt(PAGE_SIZE),
    });
    assert.equal(first.enter(3, 4), -EBADF);
    assert.equal(second.enter(0, 0), -22, 'an unknown flag is refused before the descriptor is looked at');
    assert.equal(first.enter(0, 0), -EBADF);
    if (first.how !== 'koffi, libc') assert.deepEqual([...memory.words(0, 2)], [0, 0]);
    first.close();
    const third = loadEnter({ fd: -1, flags: 0, words: memory.words(0, 2), address: memory.address });
    assert.equal(second.enter(0, 0), -22, 'what the first left behind is not the second');
    assert.equal(third.enter(0, 0), -EBADF);
    third.close();
    second.close();
    memory.unmap();
  });

  test('nobody can write to the code, or cut it off', () => {
    const memory = mapAnonymous(PAGE_SIZE, 'of a test');
    const call = loadEnter({ fd: -1, flags: 0, words: memory.words(0, 2), address: memory.address });
    const files = readdirSync('/proc/self/fd')
      .map((fd) => `/proc/self/fd/${fd}`)
      .filter((file) => linkOf(file).startsWith('/memfd:ublkts-enter'));
    assert.equal(files.length, call.how === 'koffi, libc' ? 0 : 1);
    for (const file of files) {
      assert.throws(() => writeFileSync(file, 'x', { flag: 'r+' }), { code: 'EPERM' });
      assert.throws(() => truncateSync(file), { code: 'EPERM' });
    }
    assert.equal(call.enter(0, 0), -EBADF);
    call.close();
    memory.unmap();
  });

  test('is koffi where Node has no ffi of its own', () => {
    const script = `
      const { loadEnter } = await import('${new URL('../../src/native/libc/enter.ts', import.meta.url).href}');
      const { mapAnonymous, PAGE_SIZE } = await import('${new URL('../../src/native/memory.ts', import.meta.url).href}');
      const memory = mapAnonymous(PAGE_SIZE, 'of a test');
      const call = loadEnter({ fd: -1, flags: 0, words: memory.words(0, 2), address: memory.address });
      console.log(call.how, call.enter(0, 0));`;
    const words = ['--no-experimental-ffi', '--input-type=module', '-e', script];
    const text = execFileSync(process.execPath, words, { encoding: 'utf8' });
    assert.match(text, new RegExp(`^koffi(?:, libc)? -${EBADF}$`, 'm'));
  });

  test('the code is what the comment says', { skip: !has('objdump') && 'no objdump' }, () => {
    const text = disassembled(enterCode(0x1234, 0x5678, 0x7fff_1234_5678n));
    const expected = [
      'endbr64',
      'movabs rax,0x7fff12345678',
      'mov esi,DWORD PTR [rax]',
      'mov edx,DWORD PTR [rax+0x4]',
      'mov edi,0x1234',
      'mov r10d,0x5678',
      'xor r8d,r8d',
      'xor r9d,r9d',
      'mov eax,0x1aa',
      'syscall',
      'ret',
    ];
    assert.deepEqual(text, expected);
  });

  test('readelf finds nothing wrong with the library', { skip: !has('readelf') && 'no readelf' }, () => {
    inFile(sharedObject('x64', 'enter', Uint8Array.of(0xc3)), (file) => {
      const { stdout, stderr } = spawnSync('readelf', ['-lW', '--use-dynamic', '-s', '-d', file], { encoding: 'utf8' });
      assert.equal(stderr, '');
      assert.match(stdout, /1: 0000000000000200 +1 FUNC +GLOBAL DEFAULT +1 enter$/m);
      assert.match(stdout, /GNU_STACK .* RW /);
      assert.doesNotMatch(stdout, /RWE/);
    });
  });

  test('too much code, and a processor that is not known', () => {
    assert.throws(() => sharedObject('x64', 'enter', new Uint8Array(4000)), RangeError);
    assert.throws(() => sharedObject('s390x', 'enter', new Uint8Array(1)), RangeError);
  });
});

function disassembled(code: Uint8Array): string[] {
  return inFile(code, (file) =>
    execFileSync('objdump', ['-D', '-b', 'binary', '-m', 'i386:x86-64', '-M', 'intel', file], { encoding: 'utf8' })
      .split('\n')
      .flatMap((line) => line.split('\t').slice(2, 3))
      .map((text) => text.trim().replaceAll(/ +/g, ' ')),
  );
}

/** Empty: the descriptor with which the folder was read is closed by now. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function inFile<T>(bytes: Uint8Array, use: (file: string) => T): T {
  const directory = mkdtempSync(path.join(tmpdir(), 'ublkts-enter-'));
  try {
    const file = path.join(directory, 'file');
    writeFileSync(file, bytes);
    return use(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function has(tool: string): boolean {
  return spawnSync(tool, ['--version']).status === 0;
}
