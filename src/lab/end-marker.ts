import { randomBytes } from 'node:crypto';

/** Makes a byte string that no command prints by accident. It marks where a stream from the guest ends. */
export function newEndMarker(): Buffer {
  return Buffer.from(`\u001e${randomBytes(16).toString('hex')}\u001e`, 'latin1');
}

/**
 * The bytes of a stream before the marker. A virtio port has no end of file, and a process that the command left
 * behind may keep its stdout open for ever; the guest therefore writes the marker when the command has exited. Bytes
 * are passed on at once unless they may be the beginning of the marker. Returns whether the marker came.
 */
export async function* untilMarker(stream: AsyncIterable<Buffer>, marker: Buffer): AsyncGenerator<Buffer, boolean> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const end = bytes.indexOf(marker);
    if (end >= 0) {
      if (end > 0) yield bytes.subarray(0, end);
      return true;
    }
    const keep = partialMarkerLength(bytes, marker);
    held = bytes.subarray(bytes.length - keep);
    if (bytes.length > keep) yield bytes.subarray(0, bytes.length - keep);
  }
  if (held.length > 0) yield held;
  return false;
}

/** Counts how many of the last bytes may be the beginning of the marker. */
function partialMarkerLength(bytes: Buffer, marker: Buffer): number {
  for (let length = Math.min(bytes.length, marker.length - 1); length > 0; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(marker.subarray(0, length))) return length;
  }
  return 0;
}
