/** Opens /dev/ublkcN, which one process at a time can have open. */
import { constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../errors.ts';

/** The driver has the device before udev has made its node. */
const APPEARS_MS = 10_000;
const PAUSE_MS = 10;
const PASSING: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EBUSY']);

export async function openCharDevice(id: number): Promise<number> {
  const path = `/dev/ublkc${id}`;
  const deadline = performance.now() + APPEARS_MS;
  for (;;) {
    try {
      // O_NONBLOCK lets io_uring copy while it submits (data-path/user-copy.ts); the driver itself ignores it.
      return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
      if (!PASSING.has(code) || performance.now() > deadline) throw cannotOpen(id, path, code);
    }
    await sleep(PAUSE_MS);
  }
}

function cannotOpen(device: number, path: string, code: string): UblkError {
  const hint = code === 'EBUSY' ? 'another server has it open' : 'check that udev (or devtmpfs) is running';
  return new UblkError(`cannot open ${path}: ${code}`, { code, device, command: 'open', hint });
}
