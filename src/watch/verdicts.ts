/** The verdicts on all requests since the servers started, for a caller that looks once. */
import { observe } from './model/picture.ts';
import { verdictOf } from './model/verdict.ts';
import { Sampler } from './sampling/sampler.ts';
import type { SampleSource } from './sampling/sample.ts';

/** The sentences of the devices `ids`, by device. A device that cannot be sampled has none. */
export async function verdictsOf(
  ids: readonly number[],
  source: SampleSource = new Sampler(),
): Promise<ReadonlyMap<number, string>> {
  try {
    const { devices } = observe(null, await source.take({ heat: false }));
    const wanted = devices.filter(({ id }) => ids.includes(id));
    return new Map(wanted.map((device) => [device.id, verdictOf(device, 'total').text]));
  } finally {
    source.close();
  }
}
