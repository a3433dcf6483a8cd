/**
 * Which physical pages a mapping has, as a short text: the kernel's registration is about pages, and outlives the
 * server. A new server that maps "the same file" again has the same memory only if this says so: a file that was cut
 * short and grown again meanwhile keeps its name, number and size, and none of its pages.
 *
 * Registered pages are pinned, so they stay where they are. Without CAP_SYS_ADMIN the kernel shows no page numbers; then
 * all fingerprints of a length are the same, and the file's identity has to do.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { type MappedMemory, PAGE_SIZE } from '../../native/memory.ts';

const ENTRY_BYTES = 8;
/** Bits 0-54 of a pagemap entry are the page's number (Documentation/admin-guide/mm/pagemap.rst). */
const HIGH_MASK = 0x007f_ffff;

export function pageFingerprint({ address, length }: MappedMemory): string {
  const entries = new Uint32Array((length / PAGE_SIZE) * (ENTRY_BYTES / 4));
  const fd = openSync('/proc/self/pagemap', 'r');
  try {
    const position = (Number(address) / PAGE_SIZE) * ENTRY_BYTES;
    let done = 0;
    while (done < entries.byteLength) {
      const bytes = readSync(fd, entries, done, entries.byteLength - done, position + done);
      if (bytes === 0) break;
      done += bytes;
    }
  } finally {
    closeSync(fd);
  }
  for (let i = 1; i < entries.length; i += 2) entries[i]! &= HIGH_MASK;
  return createHash('sha256').update(entries).digest('base64').slice(0, 22);
}
