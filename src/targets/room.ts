/** Whether backing files have room for a device, and how they get it. */
import { readFileSync, statSync, truncateSync } from 'node:fs';
import { deviceNumber } from '../control/block-devices.ts';
import { UblkError } from '../errors.ts';
import { formatSize } from '../sizes.ts';

export interface RoomRequest {
  /** A path that leads to the file. */
  readonly path: string;
  /** The name that a person knows the file by. */
  readonly name: string;
  /** Bytes that it needs to hold. */
  readonly bytes: number;
}

/** All of the files have room when this returns, or none has been touched. With `grow`, regular files are made larger. */
export function makeRoom(requests: readonly RoomRequest[], grow: boolean): void {
  const small = requests.filter(({ path, bytes }) => sizeOf(path) < bytes);
  for (const request of small) {
    const isFile = statSync(request.path).isFile();
    if (isFile && grow) continue;
    throw tooSmall(
      request,
      isFile ? 'add --grow, and the file is made as large as that' : 'make the disk larger first',
    );
  }
  for (const { path, bytes } of small) truncateSync(path, bytes);
}

/** Refuses a file that has become smaller than a device that is to be recovered: what was readable must stay so. */
export function requireRoom(path: string, bytes: number, needed: number): void {
  if (bytes >= needed) return;
  const request = { path, name: path, bytes: needed };
  throw tooSmall(request, `make it as large again, for instance with \`truncate -s ${needed} ${path}\``, bytes);
}

function tooSmall({ path, name, bytes }: RoomRequest, hint: string, size = sizeOf(path)): UblkError {
  const message = `backing file ${name} has ${size} bytes (${formatSize(size)}), and ${bytes} (${formatSize(bytes)}) are needed`;
  return new UblkError(message, { code: 'EINVAL', hint });
}

function sizeOf(path: string): number {
  const stat = statSync(path, { bigint: true });
  if (!stat.isBlockDevice()) return Number(stat.size);
  return Number(readFileSync(`/sys/dev/block/${deviceNumber(stat.rdev)}/size`, 'utf8')) * 512;
}
