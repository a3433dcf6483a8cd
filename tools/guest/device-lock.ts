/**
 * Keeps udev from a block device. When a writer closes one, udev reads it to see what is on it now: requests that a test
 * did not make. It leaves a device alone that someone has locked (https://systemd.io/BLOCK_DEVICE_LOCKING).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface DeviceLock {
  release(): Promise<void>;
}

/** Locks the device after udev has finished what it had begun. */
export async function lockDevice(device: string): Promise<DeviceLock> {
  execFileSync('udevadm', ['settle', '--timeout=30']);
  const holder: ChildProcess = spawn('flock', ['--no-fork', device, 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'close');
  await Promise.race([
    once(holder.stdout!, 'data'),
    ended.then(() => Promise.reject(new Error(`${device} cannot be locked`))),
  ]);
  return {
    release: async () => {
      holder.stdin?.end();
      await ended;
    },
  };
}
