/**
 * Ends the program of a server that is gone. Its guard has asked it to end when that server died (guarded.ts), but it may
 * take its time, and two programs must not write to one image.
 */
import { existsSync } from 'node:fs';
import { UblkError } from '../errors.ts';
import { describeLeft, endByThemselves, endProcesses } from './end.ts';
import { groupOfProgram, readIdentity } from './identity.ts';
import { type Found, isEmpty, type Search } from './processes.ts';

/** A program that was asked to end already is left undisturbed for this long. */
const UNDISTURBED_MS = 5_000;
const PATIENCE = { endsMs: 5_000, diesMs: 5_000 };

/**
 * Resolves when every process that is known to be of the program whose folder this is has ended: waits, asks them, and kills
 * them. Throws a UblkError when one cannot be ended. `report` is told what is waited for.
 */
export async function endLeftOver(folder: string, report?: (what: string) => void): Promise<void> {
  if (!existsSync(folder)) return;
  const search: Search = { group: groupOfProgram(folder), since: readIdentity(folder)?.startTime ?? 0, folder };
  const waiting = ({ ours: [ours], unread: [unread] }: Found): void => {
    if (ours !== undefined) report?.(`waiting for the program (pid ${ours.pid}) to end`);
    else if (unread !== undefined) report?.(`waiting for process ${unread.pid}, which may be one of the program`);
  };
  if (isEmpty(await endByThemselves(search, UNDISTURBED_MS, waiting))) return;
  const left = await endProcesses(search, PATIENCE);
  // One whose environment cannot be read may itself wait for the device, which is only served, or gone, after this.
  if (left.ours.length > 0 || left.unlisted !== null) throw stays(left);
  if (!isEmpty(left)) report?.(`of the program, ${describeLeft(left)}`);
}

function stays(left: Found): UblkError {
  return new UblkError(`of the program of the device's last server, ${describeLeft(left)}`, {
    code: 'EBUSY',
    hint: '`dmesg` may say what it waits for; try again when it has ended',
  });
}
