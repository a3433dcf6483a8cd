/** Takes a stream of bytes apart into frames (frame.ts). */
import { frameText, HEADER_BYTES, MAGIC, MAX_ANSWER_BYTES } from './frame.ts';

export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** The payloads of the frames that are complete with `chunk`. Throws when what comes is not a frame. */
  push(chunk: Buffer): string[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const payloads: string[] = [];
    for (;;) {
      const begun = Math.min(this.#bytes.length, MAGIC.length);
      if (Buffer.compare(this.#bytes.subarray(0, begun), MAGIC.subarray(0, begun)) !== 0)
        throw new NotAFrame(this.#bytes);
      if (this.#bytes.length < HEADER_BYTES) return payloads;
      const length = this.#bytes.readUInt32LE(8);
      if (length > MAX_ANSWER_BYTES) throw new NotAFrame(this.#bytes);
      const end = HEADER_BYTES + length;
      if (this.#bytes.length < end) return payloads;
      payloads.push(frameText(this.#bytes.subarray(HEADER_BYTES, end)));
      this.#bytes = this.#bytes.subarray(end);
    }
  }
}

export class NotAFrame extends Error {
  override readonly name = 'NotAFrame';
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    super('the bytes are not a frame');
    this.bytes = bytes;
  }
}
