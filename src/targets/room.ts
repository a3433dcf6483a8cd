/** Checks whether backing files are large enough for a device, and makes them larger. */
import { type BigIntStats, readFileSync } from 'node:fs';
import { deviceNumber } from '../block/number.ts';
import { type Text, UblkError } from '../errors.ts';
import { formatSize } from '../sizes.ts';
import { option } from '../spec/option-names.ts';
import { BackingCalls } from './backing-calls.ts';
import type { ResizeRequest } from './target.ts';
import { quoteWord } from '../text/shell-words.ts';

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
export async function makeRoom(
  requests: readonly RoomRequest[],
  { grow, signal }: Pick<ResizeRequest, 'grow' | 'signal'>,
): Promise<void> {
  const small: { readonly calls: BackingCalls; readonly bytes: number }[] = [];
  for (const request of requests) {
    const { path, name, bytes } = request;
    const calls = new BackingCalls(path, { caller: 'process', name, signal });
    const stat = await calls.stat();
    const size = sizeOf(stat);
    if (size >= bytes) continue;
    if (!stat.isFile()) throw tooSmall(request, size, 'make the disk larger first');
    if (!grow) throw tooSmall(request, size, ['add ', option('grow'), ', and the file is made as large as that']);
    small.push({ calls, bytes });
  }
  for (const { calls, bytes } of small) await calls.grow(bytes);
}

/**
 * Refuses a file that has become too small for the device that is being recovered, because blocks of it would be lost.
 */
export function requireRoom(path: string, bytes: number, needed: number): void {
  if (bytes >= needed) return;
  const request = { name: path, bytes: needed };
  const grown = `\`truncate -s ${needed} ${quoteWord(path)}\` makes it as large again, and what was cut off reads as zeroes`;
  throw tooSmall(request, bytes, `put back the file that the device had; ${grown}`);
}

function tooSmall({ name, bytes }: Pick<RoomRequest, 'name' | 'bytes'>, size: number, hint: Text): UblkError {
  const message = `backing file ${name} has ${size} bytes (${formatSize(size)}), and ${bytes} (${formatSize(bytes)}) are needed`;
  return new UblkError(message, { code: 'EINVAL', hint });
}

function sizeOf(stat: BigIntStats): number {
  if (!stat.isBlockDevice()) return Number(stat.size);
  return Number(readFileSync(`/sys/dev/block/${deviceNumber(stat.rdev)}/size`, 'utf8')) * 512;
}
