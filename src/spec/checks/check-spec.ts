/**
 * The rules that a device must keep, applied to what was resolved and not to the words it was asked for in. They refuse
 * before the kernel is asked: its own answer to most of these is a bare EINVAL, and to some a device that hangs. kublk's
 * refusals come first, in its order, then the kernel's own (ublk_ctrl_add_dev and ublk_validate_params of Linux 7.3).
 */
import type { DeviceSpec } from '../device-spec.ts';
import type { FeatureSet } from '../features.ts';
import type { TargetTraits } from '../target-traits.ts';
import { checkCounts } from './counts.ts';
import { checkDriver } from './driver.ts';
import { checkIntegrity } from './integrity.ts';
import { checkIoDesc } from './io-desc.ts';
import { checkRecovery } from './recovery.ts';
import { checkSharedMemory } from './shared-memory.ts';
import { checkOneThread, checkTarget } from './target.ts';
import { checkThreads } from './threads.ts';
import { checkZoned } from './zoned.ts';

export function checkSpec(spec: DeviceSpec, target: TargetTraits, driver: FeatureSet): void {
  checkCounts(spec);
  checkOneThread(spec, target);
  checkThreads(spec);
  checkRecovery(spec);
  checkSharedMemory(spec);
  checkIoDesc(spec);
  checkIntegrity(spec);
  checkZoned(spec);
  checkTarget(spec, target);
  checkDriver(spec, driver);
}
