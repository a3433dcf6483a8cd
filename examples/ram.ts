/**
 * A disk in memory, in twenty lines:
 *
 *     ublkts add -t ./ram.ts -o size=1G
 *     mkfs.ext4 /dev/ublkb0
 *
 * What is written is gone with the server.
 */
import { defineTarget, size } from 'ublkts/target';

export default defineTarget({
  summary: 'a disk in memory',
  options: { size: size({ default: '1G', multipleOf: 512, summary: 'how large the disk is' }) },
  open({ options }) {
    const disk = Buffer.alloc(options.size);
    return {
      size: options.size,
      read(buffer, offset) {
        disk.copy(buffer, 0, offset, offset + buffer.length);
      },
      write(buffer, offset) {
        disk.set(buffer, offset);
      },
      discard(offset, length) {
        disk.fill(0, offset, offset + length);
      },
    };
  },
});
