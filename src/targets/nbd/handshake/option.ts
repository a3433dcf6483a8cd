/** One option of the newstyle negotiation: the client's message and the server's replies. */
import { NBD_MAX_STRING, NBD_REP_MAGIC, IHAVEOPT } from '../protocol/numbers.ts';
import { type Dialogue, receive } from './dialogue.ts';
import { protocolError } from './failure.ts';

const OPTION_HEADER_BYTES = 16;
const REPLY_HEADER_BYTES = 20;
/** The longest reply that any option has: two strings and a few numbers. */
const MAX_REPLY_BYTES = 2 * NBD_MAX_STRING + 64;

export interface OptionReply {
  readonly type: number;
  readonly payload: Buffer;
}

export function encodeOption(option: number, data: Uint8Array = new Uint8Array(0)): Buffer {
  const header = Buffer.alloc(OPTION_HEADER_BYTES);
  header.writeBigUInt64BE(IHAVEOPT, 0);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(data.length, 12);
  return Buffer.concat([header, data]);
}

/** The data of NBD_OPT_INFO and NBD_OPT_GO: the name of an export, and the kinds of information to send about it. */
export function encodeInfoRequest(name: string, kinds: readonly number[]): Buffer {
  const bytes = Buffer.from(name);
  const data = Buffer.alloc(4 + bytes.length + 2 + kinds.length * 2);
  data.writeUInt32BE(bytes.length, 0);
  data.set(bytes, 4);
  data.writeUInt16BE(kinds.length, 4 + bytes.length);
  for (const [index, kind] of kinds.entries()) data.writeUInt16BE(kind, 6 + bytes.length + index * 2);
  return data;
}

/** Receives the next reply to `option`. */
export function* receiveReply(option: number): Dialogue<OptionReply> {
  const header = Buffer.from(yield* receive(REPLY_HEADER_BYTES));
  if (header.readBigUInt64BE(0) !== NBD_REP_MAGIC) throw protocolError('a reply to an option has a wrong magic number');
  const answered = header.readUInt32BE(8);
  if (answered !== option) throw protocolError(`option ${option} was sent, and it answers option ${answered}`);
  const length = header.readUInt32BE(16);
  if (length > MAX_REPLY_BYTES) throw protocolError(`a reply to option ${option} has ${length} bytes`);
  return { type: header.readUInt32BE(12), payload: Buffer.from(yield* receive(length)) };
}
