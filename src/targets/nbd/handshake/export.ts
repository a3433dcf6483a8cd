/** What a server says of an export. */
import {
  NBD_FLAG_HAS_FLAGS,
  NBD_INFO_BLOCK_SIZE,
  NBD_INFO_DESCRIPTION,
  NBD_INFO_EXPORT,
  NBD_INFO_NAME,
  NBD_MAX_STRING,
} from '../protocol/numbers.ts';
import { protocolError, tooLarge } from './failure.ts';

/** Bytes. */
export interface BlockSizes {
  /** Requests begin and end at multiples of it: a power of 2. */
  readonly minimum: number;
  readonly preferred: number;
  /** The most data of one request: a multiple of the minimum, or 2^32 - 1 for any. */
  readonly maximum: number;
}

export interface NbdExport {
  readonly name: string;
  readonly description: string | null;
  readonly bytes: number;
  /** NBD_FLAG_* of the transmission. */
  readonly flags: number;
  /** null where the server says nothing of them. */
  readonly blockSizes: BlockSizes | null;
}

const MAX_MINIMUM = 65_536;
/** The maximum block size of a server that takes requests of every length. */
export const NO_MAXIMUM = 0xffff_ffff;

/** What has been said so far of one export; the pieces come in any order. */
export class ExportInfo {
  #name: string;
  #description: string | null = null;
  #size: { readonly bytes: bigint; readonly flags: number } | null = null;
  #blockSizes: BlockSizes | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  /** Takes the payload of one NBD_REP_INFO. Kinds that nobody asked for are allowed, and ignored. */
  add(payload: Buffer): void {
    if (payload.length < 2) throw protocolError('a piece of information has no kind');
    const rest = payload.subarray(2);
    switch (payload.readUInt16BE(0)) {
      case NBD_INFO_EXPORT:
        if (rest.length !== 10) throw protocolError(`the size and flags of the export have ${rest.length} bytes`);
        this.#size = { bytes: rest.readBigUInt64BE(0), flags: flagsOf(rest.readUInt16BE(8)) };
        return;
      case NBD_INFO_NAME:
        this.#name = textOf(rest);
        return;
      case NBD_INFO_DESCRIPTION:
        this.#description = textOf(rest);
        return;
      case NBD_INFO_BLOCK_SIZE:
        this.#blockSizes = blockSizesOf(rest);
        return;
      default:
    }
  }

  /** Returns the export when the server has sent everything. An export that is too large is an error only here. */
  finish(): NbdExport {
    if (this.#size === null) throw protocolError('it says nothing of the size of the export');
    const { bytes, flags } = this.#size;
    const [name, description, blockSizes] = [this.#name, this.#description, this.#blockSizes];
    return { name, description, bytes: sizeOf(bytes), flags, blockSizes };
  }
}

export function sizeOf(bytes: bigint): number {
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw tooLarge(bytes);
  return Number(bytes);
}

export function flagsOf(flags: number): number {
  return (flags & NBD_FLAG_HAS_FLAGS) === 0 ? 0 : flags;
}

export function textOf(bytes: Uint8Array): string {
  if (bytes.length > NBD_MAX_STRING) throw protocolError(`a string has ${bytes.length} bytes`);
  return Buffer.from(bytes).toString('utf8');
}

function blockSizesOf(bytes: Buffer): BlockSizes {
  if (bytes.length !== 12) throw protocolError(`the block sizes have ${bytes.length} bytes`);
  const [minimum, preferred, maximum] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4), bytes.readUInt32BE(8)];
  const isValid =
    isPowerOfTwo(minimum) &&
    minimum <= MAX_MINIMUM &&
    isPowerOfTwo(preferred) &&
    preferred >= minimum &&
    (maximum === NO_MAXIMUM || (maximum >= minimum && maximum % minimum === 0));
  if (!isValid) throw protocolError(`the block sizes are ${minimum}, ${preferred} and ${maximum} bytes`);
  return { minimum, preferred, maximum };
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
