/** How a round's device is told what it is made of: in the words of `add`, and in the options of the library. */
import type { Round } from './plan.ts';

const RAM_SIZE = '16M';

export function wordsOf({ target }: Round, files: readonly string[]): string {
  if (target === 'ram') return `--size ${RAM_SIZE}`;
  return target === 'nbd' ? `-- ${programOf(files)}` : files.join(' ');
}

export function optionsOf({ target }: Round, files: readonly string[]) {
  if (target === 'ram') return { targetOptions: { size: RAM_SIZE } };
  return target === 'nbd' ? { targetOptions: { program: programOf(files) } } : { files };
}

/** The device's own NBD server, which is started again when it has died. */
function programOf([file]: readonly string[]): string {
  return `nbdkit file ${file}`;
}
