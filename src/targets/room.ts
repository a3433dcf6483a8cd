/** Checks whether backing files are large enough for a device, and makes them larger. */
import { readFileSync, statSync, truncateSync } from 'node:fs';
import { deviceNumber } from '../block/number.ts';
import { type Text, UblkError } from '../errors.ts';
import { formatSize } from '../sizes.ts';
import { option } from '../spec/option-names.ts';

export interface RoomRequest {
  /** A path to the file, for example in /proc/PID/fd. */
  readonly path: string;
  /** The name that a person knows the file by. */
  readonly name: string;
  /** The size that the file needs, in bytes. */
  readonly bytes: number;
}

/**
 * Makes sure that every file is large enough, or throws and changes none. With `grow`, regular files are made larger.
 */
export function makeRoom(requests: readonly RoomRequest[], grow: boolean): void {
  const small = requests.filter(({ path, bytes }) => sizeOf(path) < bytes);
  for (const request of small) {
    const isFile = statSync(request.path).isFile();
    if (isFile && grow) continue;
    throw tooSmall(
      request,
      isFile ? ['add ', option('grow'), ', and the file is made as large as that'] : 'make the disk larger first',
    );
  }
  for (const { path, bytes } of small) truncateSync(path, bytes);
}

/**
 * Refuses a file that has become too small for the device that is being recovered, because blocks of it would be lost.
 */
export function requireRoom(path: string, bytes: number, needed: number): void {
  if (bytes >= needed) return;
  const request = { path, name: path, bytes: needed };
  throw tooSmall(request, `make it as large again, for instance with \`truncate -s ${needed} ${path}\``, bytes);
}

function tooSmall({ path, name, bytes }: RoomRequest, hint: Text, size = sizeOf(path)): UblkError {
  const message = `backing file ${name} has ${size} bytes (${formatSize(size)}), and ${bytes} (${formatSize(bytes)}) are needed`;
  return new UblkError(message, { code: 'EINVAL', hint });
}

function sizeOf(path: string): number {
  const stat = statSync(path, { bigint: true });
  if (!stat.isBlockDevice()) return Number(stat.size);
  return Number(readFileSync(`/sys/dev/block/${deviceNumber(stat.rdev)}/size`, 'utf8')) * 512;
}
