/**
 * Resolves the options that were asked for to what the device is. Every decision about a device is made once
 * (decide.ts); then the rules of checks/ are applied to the result, whatever words it came from.
 */
import { checkSpec } from './checks/check-spec.ts';
import { decide } from './decide.ts';
import type { DeviceSpec } from './device-spec.ts';
import type { FeatureSet } from './features.ts';
import type { AddOptions } from './options.ts';
import type { TargetTraits } from './target-traits.ts';

/**
 * The device that the kernel made with ADD_DEV. It may grant fewer queues than were asked for, as there are never more
 * than CPUs, and it clears features that mean nothing for this device (UNPRIVILEGED_DEV for root).
 */
export interface Granted {
  readonly features: FeatureSet;
  readonly queues: number;
  readonly depth: number;
  readonly maxIoBufBytes: number;
  readonly ioDescSize: number;
}

/**
 * Throws a usage error for a device that cannot be made. `driver` has the features that GET_FEATURES reports, or those
 * of the device where it exists already.
 */
export function resolve(options: AddOptions, target: TargetTraits, driver: FeatureSet, granted?: Granted): DeviceSpec {
  const asked = decide(options, target, driver);
  checkSpec(asked, target, driver);
  return granted === undefined ? asked : asGranted(asked, options.threads, granted);
}

/**
 * A thread without a queue would wait for ever, so that a device that got fewer queues gets fewer threads; where tags or
 * whole queues are shared, more threads than queues make sense.
 */
function asGranted(asked: DeviceSpec, threadsAsked: number, { features, ...counts }: Granted): DeviceSpec {
  const isShared = asked.perIoTasks || asked.delivery === 'batch';
  const threads = threadsAsked !== 0 && isShared ? threadsAsked : Math.min(asked.threads, counts.queues);
  return { ...asked, ...counts, features: asked.features.filter((feature) => features.has(feature)), threads };
}
