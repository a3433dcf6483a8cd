/** Keeps the log of this server short: nothing bounds what a target, its program or `--debug_mask` writes. */
import { shortenLog } from '../record/shorten-log.ts';

const LOOK_MS = 2_000;

/** Looks at the log at intervals. The timer does not keep the process alive. */
export function keepLogShort(path: string): void {
  setInterval(() => shortenLog(path), LOOK_MS).unref();
}
