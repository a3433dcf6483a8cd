/**
 * Whether root may run a file: nobody else must be able to change what it says. The server of a device runs it again at
 * each recovery, long after somebody has looked at it. That goes for the user of sudo too, whose other programs can write
 * the file.
 */
import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UblkError } from '../../errors.ts';
import { quoteWord } from '../../text/shell-words.ts';

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** Throws a UblkError for a file that others than root may write. It says nothing to a user who is not root. */
export function requireTrusted(file: string): void {
  if (process.geteuid?.() !== 0) return;
  const reason = distrust(statSync(file), file, false);
  if (reason !== null) throw refusal(file, reason);
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const below = distrust(statSync(folder), folder, true);
    if (below !== null) throw refusal(file, below);
    if (folder === dirname(folder)) return;
  }
}

/** The folders of a user, such as the home, stay the user's. */
const COPY = 'keep a copy where only root writes: `sudo install -Dm644 -t /usr/local/lib/ublkts FILE...`';

interface Distrust {
  readonly why: string;
  readonly hint: string;
}

function distrust(stat: Stats, path: string, isFolder: boolean): Distrust | null {
  // In a folder with the sticky bit, as /tmp, only the owner of a file can replace it.
  const isSticky = isFolder && (stat.mode & STICKY) !== 0;
  const writers = isSticky ? 0 : stat.mode & (GROUP_WRITES | OTHERS_WRITE);
  const what = isFolder ? `its folder ${path}` : 'it';
  if (writers !== 0) {
    const who = (writers & OTHERS_WRITE) !== 0 ? 'everyone' : 'its group';
    return { why: `${what} can be written by ${who}`, hint: `\`chmod go-w ${quoteWord(path)}\`` };
  }
  if (stat.uid === 0) return null;
  return { why: `${what} belongs to user ${stat.uid}`, hint: isFolder ? COPY : `\`chown root ${quoteWord(path)}\`` };
}

function refusal(file: string, { why, hint }: Distrust): UblkError {
  return new UblkError(`root does not run target ${file}: ${why}`, { code: 'EPERM', kind: 'permission', hint });
}
