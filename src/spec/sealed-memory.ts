/** Which shared memory a target takes, for those who know its name and do not load its code. */
import { isAbsolute } from 'node:path';

/**
 * The command that registers a buffer with the device. A target that reads the bytes itself (`TargetTraits.looksAtData`)
 * takes only memory whose size is sealed, and one in a file may be such a target.
 */
export function registerCommand(device: number, target: string | null, file: string): string {
  const wantsSealed = target !== null && (target === 'nbd' || isAbsolute(target));
  return `ublkts reg-buf -n ${device} ${wantsSealed ? '--memfd 4M --seal' : file}`;
}
