/** Descriptors that a process has inherited and the programs that it starts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Prints the numbers of the descriptors that a child of a Node with number 200 of a shell has. */
function descriptorsOfChild(before: string): string[] {
  const calls = new URL('../../src/native/libc/calls.ts', import.meta.url).href;
  const script = `
    const { keepDescriptors } = await import('${calls}');
    const { spawnSync } = await import('node:child_process');
    ${before};
    console.log(spawnSync('ls', ['/proc/self/fd'], { encoding: 'utf8' }).stdout);`;
  const words = ['-c', 'exec "$0" --input-type=module -e "$1" 200<&0', process.execPath, script];
  const { stdout, stderr } = spawnSync('bash', words, { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.trim().split('\n');
}

test('a program that is started does not get what a shell script has locked', () => {
  assert.ok(descriptorsOfChild('').includes('200'), 'Node passes it on');
  // Number 3 is the folder that `ls` reads.
  assert.deepEqual(descriptorsOfChild('keepDescriptors()'), ['0', '1', '2', '3']);
});
