// include/uapi/linux/ublk_cmd.h, Linux 7.3: the elements of UBLK_U_IO_PREP_IO_CMDS and UBLK_U_IO_COMMIT_IO_CMDS. The
// header describes `struct ublk_elem_buffer` in a comment only, because the flags decide which of its fields exist.
import { decode, encodeInto } from './codec.ts';
import type { StructValue } from './codec.ts';
import { UBLK_BATCH_F_HAS_BUF_ADDR, UBLK_BATCH_F_HAS_ZONE_LBA } from './ublk-io.ts';
import { ublk_elem_header } from './ublk-structs.ts';

/** The size in bytes of one tag in the buffer that UBLK_U_IO_FETCH_IO_CMDS fills (its elem_bytes). */
export const UBLK_FETCH_ELEM_BYTES = 2;

export interface UblkElement extends StructValue<typeof ublk_elem_header> {
  /** Exists when the flags have UBLK_BATCH_F_HAS_BUF_ADDR. */
  readonly buf_addr?: bigint;
  /** Exists when the flags have UBLK_BATCH_F_HAS_ZONE_LBA. */
  readonly zone_lba?: bigint;
}

/** The ublk_batch_io.elem_bytes that belong to ublk_batch_io.flags. The driver refuses any other value. */
export function ublkElemBytes(flags: number): number {
  return zoneLbaOffset(flags) + (hasZoneLba(flags) ? 8 : 0);
}

/** Encodes the elements of one batch command. A field that the flags ask for and an element lacks becomes zero. */
export function encodeElements(flags: number, elements: readonly UblkElement[]): Uint8Array<ArrayBuffer> {
  const elemBytes = ublkElemBytes(flags);
  const bytes = new Uint8Array(elements.length * elemBytes);
  const view = new DataView(bytes.buffer);
  for (const [i, element] of elements.entries()) {
    const at = i * elemBytes;
    const { tag, buf_index, result } = element;
    encodeInto(view, at, ublk_elem_header, { tag, buf_index, result });
    if (hasBufAddr(flags)) view.setBigUint64(at + ublk_elem_header.size, element.buf_addr ?? 0n, true);
    if (hasZoneLba(flags)) view.setBigUint64(at + zoneLbaOffset(flags), element.zone_lba ?? 0n, true);
  }
  return bytes;
}

/** Decodes what encodeElements has made. Throws a RangeError when `bytes` is not a whole number of elements. */
export function decodeElements(flags: number, bytes: Uint8Array): UblkElement[] {
  const elemBytes = ublkElemBytes(flags);
  if (bytes.byteLength % elemBytes !== 0) {
    throw new RangeError(
      `struct ublk_elem_buffer: ${bytes.byteLength} bytes are not a whole number of elements of ${elemBytes} bytes`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: UblkElement[] = [];
  for (let at = 0; at < bytes.byteLength; at += elemBytes) {
    elements.push({
      ...decode(ublk_elem_header, bytes, at),
      ...(hasBufAddr(flags) ? { buf_addr: view.getBigUint64(at + ublk_elem_header.size, true) } : {}),
      ...(hasZoneLba(flags) ? { zone_lba: view.getBigUint64(at + zoneLbaOffset(flags), true) } : {}),
    });
  }
  return elements;
}

function hasBufAddr(flags: number): boolean {
  return (flags & UBLK_BATCH_F_HAS_BUF_ADDR) !== 0;
}

function hasZoneLba(flags: number): boolean {
  return (flags & UBLK_BATCH_F_HAS_ZONE_LBA) !== 0;
}

function zoneLbaOffset(flags: number): number {
  return ublk_elem_header.size + (hasBufAddr(flags) ? 8 : 0);
}
