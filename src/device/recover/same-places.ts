/** Whether paths lead to the same files as when the device was made. */
import { isDeepStrictEqual } from 'node:util';
import { UblkError } from '../../errors.ts';
import { currentNamespace } from '../../native/namespaces.ts';
import type { DeviceRecord, Place } from '../../record/device-record.ts';
import type { AddOptions } from '../../spec/options.ts';
import { builtInTarget } from '../../targets/registry.ts';
import { pathsAmong, placesOf } from '../places.ts';

/**
 * Refuses paths that lead elsewhere in this mount namespace than in the one of `add` (a container): the device would get other
 * data. In the same namespace a file may be another one: it has been moved or replaced. A resident server compares its own
 * namespace. What is named now is looked up here.
 */
export async function requireSamePlaces(
  { id, mounts, places = [] }: DeviceRecord,
  { target, targetOptions, files, server }: AddOptions,
  { targetOptions: named = {}, files: namedFiles = [] }: Partial<AddOptions>,
): Promise<void> {
  const here = currentNamespace('mnt');
  if (server !== null || mounts === undefined || mounts === here) return;
  const isNamed = Object.keys(builtInTarget(target)?.displaces ?? {}).some((name) => name in named);
  const paths = [...(namedFiles.length > 0 ? [] : files), ...(isNamed ? [] : pathsAmong(target, targetOptions))];
  const now = await placesOf(paths);
  const [moved] = places.filter((was) => paths.includes(was.path) && !now.some((one) => isSame(one, was)));
  if (moved === undefined) return;
  throw new UblkError(
    `device ${id} was made in another mount namespace (${mounts}, and this is ${here}): ${moved.path} is not here what it is there`,
    {
      code: 'EXDEV',
      kind: 'usage',
      device: id,
      command: 'START_USER_RECOVERY',
      hint: `recover it from there (\`nsenter --mount=...\`), or name what it is made of as it is found here: \`ublkts recover -n ${id} ...\``,
    },
  );
}

/** A block device is the same one whichever node it has. */
function isSame(a: Place, b: Place): boolean {
  const number = a.identity.blockDevice;
  return a.path === b.path && (number === null ? isDeepStrictEqual(a, b) : number === b.identity.blockDevice);
}
