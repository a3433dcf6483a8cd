/** The names of the transmission flags of an export. */
import {
  NBD_FLAG_CAN_MULTI_CONN,
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_ROTATIONAL,
  NBD_FLAG_SEND_CACHE,
  NBD_FLAG_SEND_DF,
  NBD_FLAG_SEND_FAST_ZERO,
  NBD_FLAG_SEND_FLUSH,
  NBD_FLAG_SEND_FUA,
  NBD_FLAG_SEND_RESIZE,
  NBD_FLAG_SEND_TRIM,
  NBD_FLAG_SEND_WRITE_ZEROES,
} from './numbers.ts';

/** The names of the flags that are set in `flags`, without NBD_FLAG_. Flags that this program does not know have none. */
export function flagNames(flags: number): string[] {
  return FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

/**
 * The flags are in the order in which they are shown: the properties of the disk come before details of the protocol.
 */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [NBD_FLAG_READ_ONLY, 'READ_ONLY'],
  [NBD_FLAG_SEND_FLUSH, 'SEND_FLUSH'],
  [NBD_FLAG_SEND_FUA, 'SEND_FUA'],
  [NBD_FLAG_ROTATIONAL, 'ROTATIONAL'],
  [NBD_FLAG_SEND_TRIM, 'SEND_TRIM'],
  [NBD_FLAG_SEND_WRITE_ZEROES, 'SEND_WRITE_ZEROES'],
  [NBD_FLAG_SEND_FAST_ZERO, 'SEND_FAST_ZERO'],
  [NBD_FLAG_CAN_MULTI_CONN, 'CAN_MULTI_CONN'],
  [NBD_FLAG_SEND_DF, 'SEND_DF'],
  [NBD_FLAG_SEND_RESIZE, 'SEND_RESIZE'],
  [NBD_FLAG_SEND_CACHE, 'SEND_CACHE'],
];
