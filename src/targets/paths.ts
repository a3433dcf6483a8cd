/** The paths that the target of a device may open while it serves. */
import { isAbsolute } from 'node:path';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { builtInTarget } from './registry.ts';

/**
 * The paths besides its backing files that the target may open later. A built-in target names them (`reopens`). For a
 * target in a file, they are that file, the backing files, and the options that are paths.
 */
export function reopenedPaths({ target, files, targetOptions }: DeviceSpec): readonly string[] {
  if (!isAbsolute(target)) return builtInTarget(target)?.reopens?.(targetOptions) ?? [];
  return [target, ...files, ...Object.values(targetOptions).filter((value) => isAbsolute(value))];
}

/** All paths that the target may have open. */
export function pathsOf(spec: DeviceSpec): readonly string[] {
  return [...new Set([...spec.files, ...reopenedPaths(spec)])];
}
