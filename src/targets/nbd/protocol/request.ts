/**
 * The header of a request: magic number, flags, command, cookie, offset and length. `encodeRequest` is hot path: it
 * writes bytes in place and allocates nothing.
 */
import { NBD_REQUEST_MAGIC } from './numbers.ts';

const MAGIC_AT = 0;
const FLAGS_AT = 4;
const COMMAND_AT = 6;
const COOKIE_AT = 8;
const OFFSET_AT = 16;
const LENGTH_AT = 24;

/** Writes a header at byte `at`. 64-bit values are pairs of words, low and high; the length is read as unsigned. */
export const encodeRequest = (
  view: DataView,
  at: number,
  flags: number,
  command: number,
  cookieLo: number,
  cookieHi: number,
  offsetLo: number,
  offsetHi: number,
  length: number,
): void => {
  view.setInt32(at + MAGIC_AT, NBD_REQUEST_MAGIC);
  view.setInt16(at + FLAGS_AT, flags);
  view.setInt16(at + COMMAND_AT, command);
  view.setInt32(at + COOKIE_AT, cookieHi);
  view.setInt32(at + COOKIE_AT + 4, cookieLo);
  view.setInt32(at + OFFSET_AT, offsetHi);
  view.setInt32(at + OFFSET_AT + 4, offsetLo);
  view.setInt32(at + LENGTH_AT, length);
};
