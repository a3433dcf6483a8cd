/** Opens /dev/ublkcN, which one process at a time can have open. */
import { constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../clock.ts';
import { charDeviceNode } from '../control/device-node.ts';
import { UblkError } from '../errors.ts';

/** The server before this one may still be closing it, and udev setting its permissions. */
const FREE_MS = 10_000;
const PAUSE_MS = 10;
const PASSING: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EBUSY']);

export async function openCharDevice(id: number): Promise<number> {
  const path = await charDeviceNode(id);
  const deadline = milliseconds() + FREE_MS;
  for (;;) {
    try {
      // O_NONBLOCK lets io_uring copy while it submits (data-path/user-copy.ts); the driver itself ignores it.
      return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
      if (!PASSING.has(code) || milliseconds() > deadline) throw cannotOpen(id, path, code);
    }
    await sleep(PAUSE_MS);
  }
}

function cannotOpen(device: number, path: string, code: string): UblkError {
  const hint = code === 'EBUSY' ? 'another server has it open' : 'check that udev (or devtmpfs) is running';
  return new UblkError(`cannot open ${path}: ${code}`, { code, device, command: 'open', hint });
}
