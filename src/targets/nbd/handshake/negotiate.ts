/**
 * The newstyle negotiation: `chooseExport` ends in the transmission phase, `listExports` ends the session. Over TLS, a
 * session begins with `startTls`, and its result is the `greeted` of what follows. Oldstyle servers, and newstyle ones that
 * cannot answer to options, are refused: none has been released since 2011.
 */
import { UblkError } from '../../../errors.ts';
import {
  CLISERV_MAGIC,
  IHAVEOPT,
  NBD_FLAG_FIXED_NEWSTYLE,
  NBD_FLAG_NO_ZEROES,
  NBD_INFO_BLOCK_SIZE,
  NBD_INFO_DESCRIPTION,
  NBD_INFO_NAME,
  NBD_OPT_ABORT,
  NBD_OPT_EXPORT_NAME,
  NBD_OPT_GO,
  NBD_OPT_INFO,
  NBD_OPT_LIST,
  NBD_OPT_STARTTLS,
  NBD_OPT_STRUCTURED_REPLY,
  NBD_REP_ACK,
  NBD_REP_ERR_UNSUP,
  NBD_REP_FLAG_ERROR,
  NBD_REP_INFO,
  NBD_REP_SERVER,
  NBDMAGIC,
} from '../protocol/numbers.ts';
import { type Dialogue, receive, send } from './dialogue.ts';
import { ExportInfo, flagsOf, type NbdExport, sizeOf, textOf } from './export.ts';
import { optionRefused, protocolError, tlsRefused } from './failure.ts';
import { encodeInfoRequest, encodeOption, receiveReply } from './option.ts';

export interface Chosen {
  readonly export: NbdExport;
  /** Whether the server answers with structured replies. */
  readonly structured: boolean;
}

export interface ChooseOptions {
  readonly exportName: string;
  /** Asks for structured replies. */
  readonly structured: boolean;
}

/** A server that sends more replies to one option, or lists more exports, may be trying to fill the memory. */
const MAX_REPLIES = 100;
const MAX_EXPORTS = 10_000;
const ZEROES = 124;

/**
 * Makes the server ready for TLS: the next bytes are those of its handshake. Returns the server's handshake flags. A server
 * without TLS is an error: nothing falls back to plain text.
 */
export function* startTls(): Dialogue<number> {
  const serverFlags = yield* greet();
  yield* send(encodeOption(NBD_OPT_STARTTLS));
  const { type, payload } = yield* receiveReply(NBD_OPT_STARTTLS);
  if (type === NBD_REP_ACK) return serverFlags;
  if (isError(type)) throw tlsRefused(type, textOf(payload));
  throw protocolError(`it answers ${type} to NBD_OPT_STARTTLS`);
}

/** Chooses an export. After it, the connection is in the transmission phase. */
export function* chooseExport({ exportName, structured }: ChooseOptions, greeted?: number): Dialogue<Chosen> {
  const serverFlags = greeted ?? (yield* greet());
  const isStructured = structured && (yield* askForStructuredReplies());
  const found = yield* ask(NBD_OPT_GO, exportName, [NBD_INFO_BLOCK_SIZE]);
  return { export: found ?? (yield* chooseByName(exportName, serverFlags)), structured: isStructured };
}

/** An export that the server lists and that cannot be used. */
export interface RefusedExport {
  readonly name: string;
  readonly description: string | null;
  /** A predicate of "the server", or a sentence about the export. */
  readonly problem: string;
}

/** All exports that the server lists. */
export function* listExports(greeted?: number): Dialogue<(NbdExport | RefusedExport)[]> {
  if (greeted === undefined) yield* greet();
  const names = yield* list();
  const exports: (NbdExport | RefusedExport)[] = [];
  for (const { name, description } of names) {
    const found = yield* described(name);
    exports.push({ ...found, description: found.description ?? description });
  }
  yield* send(encodeOption(NBD_OPT_ABORT));
  return exports;
}

/**
 * One export of a list. An export that cannot be used does not make the list fail, as long as the server follows the
 * protocol.
 */
function* described(name: string): Dialogue<NbdExport | RefusedExport> {
  let found: NbdExport | null;
  try {
    found = yield* ask(NBD_OPT_INFO, name, [NBD_INFO_BLOCK_SIZE, NBD_INFO_DESCRIPTION]);
  } catch (error) {
    if (!(error instanceof UblkError) || error.code === 'EPROTO') throw error;
    return { name, description: null, problem: error.message };
  }
  if (found === null) throw optionRefused(NBD_REP_ERR_UNSUP, 'to describe its exports', '');
  return found;
}

/** One export by its name, without choosing it. */
export function* describeExport(exportName: string, greeted?: number): Dialogue<NbdExport> {
  if (greeted === undefined) yield* greet();
  const kinds = [NBD_INFO_BLOCK_SIZE, NBD_INFO_NAME, NBD_INFO_DESCRIPTION];
  const found = yield* ask(NBD_OPT_INFO, exportName, kinds);
  if (found === null) throw optionRefused(NBD_REP_ERR_UNSUP, 'to describe the export', '');
  yield* send(encodeOption(NBD_OPT_ABORT));
  return found;
}

/** Exchanges greetings and handshake flags. Returns the server's flags. */
function* greet(): Dialogue<number> {
  const magic = Buffer.from(yield* receive(16));
  if (magic.readBigUInt64BE(0) !== NBDMAGIC) throw protocolError('it does not greet as an NBD server does');
  const second = magic.readBigUInt64BE(8);
  if (second === CLISERV_MAGIC) throw protocolError('it is an oldstyle server, which are not supported');
  if (second !== IHAVEOPT) throw protocolError('its greeting has a wrong magic number');
  const flags = Buffer.from(yield* receive(2)).readUInt16BE(0);
  if ((flags & NBD_FLAG_FIXED_NEWSTYLE) === 0) throw protocolError('it cannot answer to options (no FIXED_NEWSTYLE)');
  const answer = Buffer.alloc(4);
  answer.writeUInt32BE(flags & (NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES));
  yield* send(answer);
  return flags;
}

/** Returns false when the server has no structured replies. */
function* askForStructuredReplies(): Dialogue<boolean> {
  yield* send(encodeOption(NBD_OPT_STRUCTURED_REPLY));
  const { type } = yield* receiveReply(NBD_OPT_STRUCTURED_REPLY);
  if (type === NBD_REP_ACK) return true;
  if (isError(type)) return false;
  throw protocolError(`it answers ${type} to NBD_OPT_STRUCTURED_REPLY`);
}

/** Asks for an export with INFO or GO. Returns null when the server knows neither of the two. */
function* ask(option: number, name: string, kinds: readonly number[]): Dialogue<NbdExport | null> {
  yield* send(encodeOption(option, encodeInfoRequest(name, kinds)));
  const info = new ExportInfo(name);
  for (let replies = 0; replies < MAX_REPLIES; replies++) {
    const { type, payload } = yield* receiveReply(option);
    if (type === NBD_REP_ACK) return info.finish();
    if (type === NBD_REP_ERR_UNSUP) return null;
    if (isError(type)) throw optionRefused(type, `export ${JSON.stringify(name)}`, textOf(payload));
    if (type !== NBD_REP_INFO) throw protocolError(`it answers ${type} when it is asked for an export`);
    info.add(payload);
  }
  throw protocolError('it does not end its answer about the export');
}

/**
 * Chooses with NBD_OPT_EXPORT_NAME, the only option that every server knows: the server answers with the export, or
 * closes the connection.
 */
function* chooseByName(name: string, serverFlags: number): Dialogue<NbdExport> {
  yield* send(encodeOption(NBD_OPT_EXPORT_NAME, Buffer.from(name)));
  const zeroes = (serverFlags & NBD_FLAG_NO_ZEROES) === 0 ? ZEROES : 0;
  const answer = Buffer.from(yield* receive(10 + zeroes));
  const bytes = sizeOf(answer.readBigUInt64BE(0));
  return { name, description: null, bytes, flags: flagsOf(answer.readUInt16BE(8)), blockSizes: null };
}

interface Listed {
  readonly name: string;
  readonly description: string | null;
}

function* list(): Dialogue<Listed[]> {
  yield* send(encodeOption(NBD_OPT_LIST));
  const names: Listed[] = [];
  for (;;) {
    const { type, payload } = yield* receiveReply(NBD_OPT_LIST);
    if (type === NBD_REP_ACK) return names;
    if (isError(type)) throw optionRefused(type, 'to list its exports', textOf(payload));
    if (type !== NBD_REP_SERVER) throw protocolError(`it answers ${type} when it is asked for its exports`);
    if (names.length === MAX_EXPORTS) throw protocolError(`it lists more than ${MAX_EXPORTS} exports`);
    names.push(listedOf(payload));
  }
}

function listedOf(payload: Buffer): Listed {
  const length = payload.length < 4 ? -1 : payload.readUInt32BE(0);
  if (length < 0 || length > payload.length - 4)
    throw protocolError('the name of an export is longer than its message');
  const description = textOf(payload.subarray(4 + length));
  return { name: textOf(payload.subarray(4, 4 + length)), description: description === '' ? null : description };
}

/** The types of all error replies have the highest bit set. */
function isError(type: number): boolean {
  return type >= NBD_REP_FLAG_ERROR;
}
