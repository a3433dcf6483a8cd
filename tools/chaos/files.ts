/** Reads a round's files after its device: every write that was acknowledged must be in them. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { BLOCKS } from './plan.ts';

const BLOCK = 4096;
/** The default chunk of the target stripe. With one file it makes no difference. */
const CHUNK = 64 << 10;

/** `expected` is a file that names, for each block, the writes of which one must be in it. Throws for what is wrong. */
export function checkFiles(files: readonly string[], expected: string): void {
  const possible: number[][] = JSON.parse(readFileSync(expected, 'utf8'));
  const descriptors = files.map((file) => openSync(file, 'r'));
  try {
    const wrong = possible.flatMap((stamps, block) => {
      const found = readBlock(descriptors, block);
      const whole = found.every((word) => word === found[0]);
      if (whole && stamps.includes(found[0] ?? -1)) return [];
      return [`block ${block} holds ${whole ? `write ${found[0]}` : 'parts of writes'}, not ${stamps.join(' or ')}`];
    });
    if (possible.length !== BLOCKS) wrong.push(`the client knows ${possible.length} blocks`);
    if (wrong.length > 0)
      throw new Error(`in the files ${wrong.length} blocks are wrong: ${wrong.slice(0, 3).join('; ')}`);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

/** Chunks are in the files in turn. */
function readBlock(descriptors: readonly number[], block: number): Uint32Array {
  const at = block * BLOCK;
  const chunk = Math.floor(at / CHUNK);
  const row = Math.floor(chunk / descriptors.length);
  const words = new Uint32Array(BLOCK / 4);
  readSync(descriptors[chunk % descriptors.length]!, words, 0, BLOCK, row * CHUNK + (at % CHUNK));
  return words;
}
