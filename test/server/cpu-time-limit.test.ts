import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuTimeNotes } from '../../src/server/cpu-time-limit.ts';

/** As in /proc/PID/limits. */
function limits(soft: string): string {
  return `Limit         Soft Limit  Hard Limit  Units\nMax cpu time  ${soft}  unlimited  seconds\n`;
}

test('a server that the kernel will end after some processor time says so', () => {
  assert.deepEqual(cpuTimeNotes(limits('unlimited')), []);
  assert.deepEqual(cpuTimeNotes(limits('60')), [
    'the kernel ends the server after 60 s of processor time (RLIMIT_CPU): `ulimit -t unlimited` in the shell, or LimitCPU=infinity in the systemd unit, lifts the limit',
  ]);
});
