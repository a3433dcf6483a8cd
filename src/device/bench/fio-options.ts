/** Turns a row into fio's command line. Pure. */
import type { BenchRow } from './rows.ts';

export interface FioOptions {
  /** fio's own option names. `true` for one without a value. */
  readonly [option: string]: string | number | true;
}

/** Random requests past the page cache, for so long, whatever was read or written before. */
export function optionsOf({ direction, blockSize, depth }: BenchRow, path: string, seconds: number): FioOptions {
  return {
    name: 'bench',
    filename: path,
    ioengine: 'io_uring',
    direct: 1,
    rw: `rand${direction}`,
    norandommap: true,
    bs: blockSize,
    iodepth: depth,
    time_based: true,
    runtime: `${Math.round(seconds * 1000)}ms`,
    // fio runs as one process, so that killing it ends all of it.
    thread: true,
    ...(direction === 'read' && { readonly: true }),
    'output-format': 'json',
  };
}

export function fioWords(options: FioOptions): string[] {
  return Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));
}
