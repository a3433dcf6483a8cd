/**
 * An encrypted disk over a file or a block device, AES-256-XTS as in dm-crypt: it holds no plain text. Nothing in it says
 * which key is its own: with another one, the disk reads as noise.
 *
 *     truncate -s 1G disk.img; head -c 64 /dev/urandom > disk.key
 *     ublkts add -t ./encrypted.ts -o key=disk.key disk.img
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { BlockError, defineTarget, path, sizeOfFile } from 'ublkts/target';

const BLOCK = 4096;
type Make = (algorithm: 'aes-256-xts', key: Buffer, tweak: Buffer) => { update(data: Buffer): Buffer };

export default defineTarget({
  summary: 'an encrypted disk over a file or a block device',
  options: { key: path({ required: true, summary: 'a file of 64 random bytes' }) },
  // A backing file and not an option: no second device gets a backing file that is in use.
  files: { min: 1, max: 1 },
  open({ options, files: [file = ''] }) {
    const key = readFileSync(options.key);
    if (key.length !== 64) throw new Error(`the key in ${options.key} has ${key.length} bytes, not 64`);
    if (key.subarray(0, 32).equals(key.subarray(32))) throw new Error(`the halves of ${options.key} are equal`);
    const size = sizeOfFile(file);
    const fd = openSync(file, 'r+');
    /** Each block is encrypted with its own number, so that equal blocks look different. */
    const crypt = (make: Make, from: Buffer, to: Buffer, offset: number): void => {
      const tweak = Buffer.alloc(16);
      for (let at = 0; at < from.length; at += BLOCK) {
        tweak.writeBigUInt64LE(BigInt((offset + at) / BLOCK));
        const cipher = make('aes-256-xts', key, tweak);
        cipher.update(from.subarray(at, at + BLOCK)).copy(to, at);
      }
    };
    return {
      size: size - (size % BLOCK),
      blockSize: BLOCK,
      read(buffer, offset) {
        whole(buffer.length, (at) => readSync(fd, buffer, at, buffer.length - at, offset + at));
        crypt(createDecipheriv, buffer, buffer, offset);
      },
      write(buffer, offset, { fua }) {
        // The buffer stays as it is: with shared memory it is the client's own.
        const secret = Buffer.allocUnsafe(buffer.length);
        crypt(createCipheriv, buffer, secret, offset);
        whole(secret.length, (at) => writeSync(fd, secret, at, secret.length - at, offset + at));
        if (fua) fdatasyncSync(fd);
      },
      flush: () => fdatasyncSync(fd),
      close: () => closeSync(fd),
    };
  },
});

function whole(length: number, some: (at: number) => number): void {
  for (let at = 0, done = 0; at < length; at += done) {
    done = some(at);
    if (done === 0) throw new BlockError('EIO', 'the file has become shorter');
  }
}
