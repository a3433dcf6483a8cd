/** examples/ram.ts with promises: each request is answered one turn of the event loop later. */
import { defineTarget, size } from 'ublkts/target';

export default defineTarget({
  summary: 'a disk in memory that answers one turn of the event loop later',
  options: { size: size({ default: '64M', multipleOf: 512, summary: 'how large the disk is' }) },
  open({ options }) {
    const disk = Buffer.alloc(options.size);
    return {
      size: options.size,
      async read(buffer, offset) {
        await turn();
        disk.copy(buffer, 0, offset, offset + buffer.length);
      },
      async write(buffer, offset) {
        await turn();
        disk.set(buffer, offset);
      },
    };
  },
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
