import { escapeControls } from '../../text/escape.ts';
import { errorStyles } from './styles.ts';

/** Writes one line per note to stderr: `note: disk.img takes no direct I/O, ...`. Without notes it writes nothing. */
export function printNotes(notes: readonly string[]): void {
  if (notes.length === 0) return;
  process.stderr.write(notes.map((note) => `${errorStyles.hint('note:')} ${escapeControls(note)}\n`).join(''));
}
