/** How a server's process has ended, and what its log says of the reason. */
import { statSync } from 'node:fs';
import { UblkError } from '../../errors.ts';
import { shortageHint, THREADS_HINT } from '../../native/shortage.ts';
import { endOfFile } from '../../record/end-of-file.ts';

export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Bytes of a server's log that are looked at for the reason of its end. */
const MOST_SAID = 64 << 10;

/** `said` is what this server wrote to its log. */
export function diedError(device: number | null, said: string, ending: Ending): UblkError {
  const how = ending.signal === null ? `with exit code ${ending.exitCode ?? '?'}` : `by ${ending.signal}`;
  return new UblkError(
    `the server ended ${how} before ${device === null ? 'it' : 'the device'} was ready${quoted(said)}`,
    {
      code: 'SERVER_DIED',
      ...(device === null ? {} : { device }),
      hint:
        shortageHint(lastWords(said)) ?? shortageHint(said) ?? (isMute(ending, said) ? THREADS_HINT : LOOK_AT_DMESG),
      cause: ending,
    },
  );
}

const LOOK_AT_DMESG = 'if it says nothing, see `dmesg` for the out-of-memory killer';

/** libuv ends a process without a word when it cannot start the threads of its pool. */
function isMute({ signal }: Ending, said: string): boolean {
  return signal === 'SIGABRT' && said.trim() === '';
}

/** The last words as a message has them behind it. */
export function quoted(said: string): string {
  const last = lastWords(said);
  return last === '' ? '' : `: ${last}`;
}

/** A call in the stack that Node prints when it gives up. */
const CALL = /^\s*\d+: 0x/;

/** Returns the line of Node's last output that says why it ended, without the stack. */
export function lastWords(said: string): string {
  const lines = said
    .trim()
    .split('\n')
    .filter((line) => !CALL.test(line));
  const why = lines.findLast((line) => /FATAL ERROR|Fatal (?:process|JavaScript)|Check failed|Assertion/i.test(line));
  return why?.replaceAll(/^[#\s]+/g, '') ?? thrown(lines) ?? lines.slice(-3).join(' | ');
}

/** The line of an exception that nothing caught: Node prints the stack and the properties after it, and its version last. */
function thrown(lines: readonly string[]): string | undefined {
  return /^Node\.js v\d/.test(lines.at(-1) ?? '') ? lines.findLast((line) => /^\w*Error\b.*: /.test(line)) : undefined;
}

export function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The end of the log, without what an earlier server wrote: its first `skipped` bytes. */
export function textOf(path: string, skipped: number): string {
  try {
    return endOfFile(path, skipped, MOST_SAID);
  } catch {
    return '';
  }
}
