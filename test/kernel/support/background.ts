/** Programs that run beside a test. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';

export interface Background {
  readonly pid: number;
  /** Resolves when it has ended; its output is in the error when that was not with 0. */
  readonly succeeded: Promise<void>;
}

export function inBackground(script: string): Background {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = (async () => {
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 0, `${script}\n${output}`);
  })();
  // Whoever waits sees the failure.
  ended.catch(() => {});
  return { pid: child.pid ?? -1, succeeded: ended };
}

/**
 * One fio that writes and verifies all devices over and over until `stop` is called, which tells how it went. It is one
 * process with a thread per device, because in an emulated guest the start of fio costs more than thousands of requests.
 */
export function fioUntilStopped(paths: string | readonly string[], more = ''): { stop: () => Promise<void> } {
  const flag = `/tmp/stop-${process.hrtime.bigint()}`;
  const check = '--verify=crc32c --do_verify=1 --verify_state_save=0 --verify_fatal=1';
  const all = `--name=global --thread --direct=1 --ioengine=libaio --rw=randwrite --bs=4k --size=4M --iodepth=16 ${check} ${more}`;
  const each = [paths].flat().map((path, index) => `--name=v${index} --filename=${path}`);
  const { succeeded } = inBackground(`until [ -e ${flag} ]; do fio ${all} ${each.join(' ')}; done; rm ${flag}`);
  return {
    stop: async () => {
      writeFileSync(flag, '');
      await succeeded;
    },
  };
}
