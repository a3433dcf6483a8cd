/** Keeps udev out of a measurement for good: devtmpfs makes the nodes of devices, too. The lab's guest is thrown away afterwards. */
import { execFileSync } from 'node:child_process';

export function settleUdev(seconds = 300): void {
  execFileSync('udevadm', ['settle', `--timeout=${seconds}`]);
}

export function stopUdev(): void {
  settleUdev();
  execFileSync('udevadm', ['control', '--exit']);
}
