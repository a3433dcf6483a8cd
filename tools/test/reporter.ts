/**
 * A reporter for `node --test`: `spec` without the closing lines, because a run has several reports, on the host
 * and in guests, and one summary at the end. It ends with how the process of a file has ended, if that was not well.
 */
import { Readable } from 'node:stream';
import { spec as Spec } from 'node:test/reporters';
import type { TestEvent } from 'node:test/reporters';

const CLOSING_LINE = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** What Node's runner adds to the error of a file whose process has ended badly. */
interface Ending extends Error {
  readonly exitCode?: number | null;
  readonly signal?: string | null;
}

async function* withoutClosingLines(events: AsyncIterable<TestEvent>, endings: string[]): AsyncGenerator<TestEvent> {
  for await (const event of events) {
    if (event.type === 'test:diagnostic' && CLOSING_LINE.test(event.data.message)) continue;
    if (event.type === 'test:fail') endings.push(...endingOf(event.data.name, event.data.details.error));
    yield event;
  }
}

/** One line for a file, none for a test. */
function endingOf(name: string, { exitCode, signal }: Ending): string[] {
  if (signal !== undefined && signal !== null) return [`${name}: its process was ended by ${signal}\n`];
  return typeof exitCode === 'number' ? [`${name}: its process ended with exit code ${exitCode}\n`] : [];
}

export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const endings: string[] = [];
  yield* Readable.from(withoutClosingLines(events, endings)).compose(new Spec());
  yield* endings;
}
