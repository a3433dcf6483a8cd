/**
 * A reporter for `node --test`: `spec` without the closing lines, because a run has several reports, on the host
 * and in guests, and one summary at the end.
 */
import { Readable } from 'node:stream';
import { spec as Spec } from 'node:test/reporters';
import type { TestEvent } from 'node:test/reporters';

const CLOSING_LINE = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

async function* withoutClosingLines(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  for await (const event of events) {
    if (event.type === 'test:diagnostic' && CLOSING_LINE.test(event.data.message)) continue;
    yield event;
  }
}

export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(withoutClosingLines(events)).compose(new Spec());
}
