/** A reporter for `node --test` that prints the counts of each file as a line of JSON, for `readCounts` (node-tests.ts). */
import type { TestEvent } from 'node:test/reporters';

export default async function* counts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    // The whole run has a summary too, without a file.
    if (type === 'test:summary' && data.file !== undefined) {
      yield `${JSON.stringify({ file: data.file, counts: data.counts })}\n`;
    }
  }
}
