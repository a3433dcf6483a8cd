/** The size of what a target keeps its data in: Node's stat says 0 for a block device. */
import { fstatSync, readFileSync, statSync } from 'node:fs';
import { deviceNumber } from '../../block/number.ts';

/** sysfs counts the size of every block device in these bytes, whatever its blocks are. */
const SECTOR = 512;

/**
 * The size in bytes of a regular file or a block device, which is given by its path or its open descriptor
 * (`handle.fd` of a FileHandle). Throws the errors of `node:fs`, and an Error for anything else, such as a directory.
 */
export function sizeOfFile(file: string | number): number {
  const stat = typeof file === 'number' ? fstatSync(file) : statSync(file);
  if (stat.isFile()) return stat.size;
  if (stat.isBlockDevice())
    return SECTOR * Number(readFileSync(`/sys/dev/block/${deviceNumber(stat.rdev)}/size`, 'utf8'));
  const what = typeof file === 'number' ? `descriptor ${file}` : file;
  throw new Error(`${what} is neither a regular file nor a block device`);
}
