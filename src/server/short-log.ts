/** Keeps the logs of this server short: nothing bounds what a target, its program or `--debug_mask` writes. */
import { shortenLog } from '../record/shorten-log.ts';

const LOOK_MS = 2_000;

/** Looks at the logs with these paths every LOOK_MS. The timer does not keep the process alive. */
export function keepLogsShort(paths: () => readonly string[]): void {
  setInterval(() => paths().forEach(shortenLog), LOOK_MS).unref();
}
