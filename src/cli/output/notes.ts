import { escapeControls } from '../../text/escape.ts';
import { errorStyles } from './styles.ts';

/** Makes one line per note for stderr: `note: disk.img takes no direct I/O, ...`. */
export function noteLines(notes: readonly string[]): string {
  return notes.map((note) => `${errorStyles.hint('note:')} ${escapeControls(note)}\n`).join('');
}
