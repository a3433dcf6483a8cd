/** The characters of tables and cards that are not ASCII, with the ASCII that stands for them in a locale without UTF-8. */
import { hasUtf8 } from '../../text/charset.ts';

export function ellipsis(): string {
  return hasUtf8(process.env) ? '…' : '~';
}

export function times(): string {
  return hasUtf8(process.env) ? '×' : 'x';
}
