/** A reporter for `node --test`: the counts of the whole run, as JSON, which `readCounts` (node-tests.ts) reads. */
import type { TestEvent } from 'node:test/reporters';

export default async function* counts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // Each file has a summary too.
    if (event.type === 'test:summary' && event.data.file === undefined) yield JSON.stringify(event.data.counts);
  }
}
