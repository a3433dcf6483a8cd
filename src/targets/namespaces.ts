/** In which namespaces a server must be so that it finds what a device is made of. */
import type { Namespace } from '../native/namespaces.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { builtInTarget } from './registry.ts';

/** The namespaces in which the names in the description of a device are looked up. */
export function namespacesOf({
  target,
  files,
  buffers,
  targetOptions,
}: Pick<DeviceSpec, 'target' | 'files' | 'buffers' | 'targetOptions'>): ReadonlySet<Namespace> {
  const type = builtInTarget(target);
  // It is a file, and its code may open any path and any address.
  if (type === undefined) return new Set(['mnt', 'net']);
  const hasFiles = files.length > 0 || buffers.length > 0;
  return new Set([...(hasFiles ? (['mnt'] as const) : []), ...type.namespaces(targetOptions)]);
}
