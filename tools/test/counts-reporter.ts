/** A reporter for `node --test` that prints the counts of the whole run as JSON, for `readCounts` (node-tests.ts). */
import type { TestEvent } from 'node:test/reporters';

export default async function* counts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // Each file has a summary too.
    if (event.type === 'test:summary' && event.data.file === undefined) yield JSON.stringify(event.data.counts);
  }
}
