import { UblkError } from '../../errors.ts';
import type { DeviceSpec } from '../device-spec.ts';
import { describeFeature, type Feature, type FeatureSet } from '../features.ts';

/**
 * Refuses what the kernel's driver does not have. Asked for all the same, the driver would drop the bits without a word.
 * Threads that share the tags of a queue need a feature that is never asked for: the driver has it or not.
 */
export function checkDriver({ features, perIoTasks }: DeviceSpec, driver: FeatureSet): void {
  const needed: readonly Feature[] = perIoTasks ? [...features, 'PER_IO_DAEMON'] : features;
  const missing = needed.find((feature) => !driver.has(feature));
  if (missing === undefined) return;
  const { name, since } = describeFeature(missing);
  throw new UblkError(`this kernel's ublk driver has no ${name}`, {
    code: 'EOPNOTSUPP',
    kind: 'unsupported',
    command: 'ADD_DEV',
    hint: `it is in Linux ${since} and newer; \`ublkts features\` shows what is here`,
  });
}
