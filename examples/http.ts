/**
 * A read-only disk over HTTP: what is read is fetched with Range requests, once, and kept in memory.
 *
 *     ublkts add -t ./http.ts -o url=https://example.org/disk.img
 *     mount -o ro /dev/ublkb0 /mnt
 */
import { BlockError, defineTarget, integer, text } from 'ublkts/target';

const CHUNK = 256 * 1024;

export default defineTarget({
  summary: 'a read-only disk from a web server',
  options: {
    url: text({ required: true, summary: 'where the image is; the server must know Range requests' }),
    cache: integer({ default: 256, summary: 'how many chunks of 256 KiB are kept in memory' }),
  },
  async open({ options }) {
    const head = await fetch(options.url, { method: 'HEAD' });
    const length = Number(head.headers.get('content-length'));
    if (!head.ok) throw new Error(`the server answers with status ${head.status} for ${options.url}`);
    if (!(length >= 512)) throw new Error(`the server says that ${options.url} has ${length} bytes`);
    // A server that ignores the range would send the whole image for each part of it.
    await download(options.url, 0, 512);
    const size = length - (length % 512);
    /** By number; the ones that were used last are at the end. A chunk is there as soon as it is asked for. */
    const chunks = new Map<number, Promise<Buffer>>();

    const chunk = (index: number): Promise<Buffer> => {
      const found = chunks.get(index) ?? download(options.url, index * CHUNK, Math.min(size, (index + 1) * CHUNK));
      chunks.delete(index);
      chunks.set(index, found);
      // One that failed is asked for again the next time.
      found.catch(() => chunks.delete(index));
      for (const oldest of chunks.keys()) {
        if (chunks.size <= options.cache) break;
        chunks.delete(oldest);
      }
      return found;
    };
    return {
      size,
      timeout: 60,
      async read(buffer, offset) {
        const first = Math.floor(offset / CHUNK);
        const last = Math.floor((offset + buffer.length - 1) / CHUNK);
        const parts = await Promise.all(Array.from({ length: last - first + 1 }, (_, index) => chunk(first + index)));
        for (const [index, part] of parts.entries()) {
          const from = (first + index) * CHUNK;
          part.copy(buffer, Math.max(0, from - offset), Math.max(0, offset - from));
        }
      },
    };
  },
});

async function download(url: string, from: number, to: number): Promise<Buffer> {
  const answer = await fetch(url, { headers: { range: `bytes=${from}-${to - 1}` } });
  if (answer.status !== 206) {
    await answer.body?.cancel();
    throw new BlockError('EREMOTEIO', `the server answers a Range request with status ${answer.status}, not 206`);
  }
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (bytes.length !== to - from)
    throw new BlockError('EREMOTEIO', `${bytes.length} bytes of ${to - from} from ${from}`);
  return bytes;
}
