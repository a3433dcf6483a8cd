/** Whether paths lead to the same files as when the device was made. */
import { UblkError } from '../../errors.ts';
import { currentNamespace } from '../../native/namespaces.ts';
import type { DeviceRecord, Place } from '../../record/device-record.ts';
import type { AddOptions } from '../../spec/options.ts';
import { builtInTarget } from '../../targets/registry.ts';
import { identityOf, isSameIdentity, lookAt } from '../../targets/looks.ts';
import { pathsAmong } from '../places.ts';

/**
 * Refuses paths that lead elsewhere in this mount namespace than in the one of `add` (a container): the device would get other
 * data. In the same namespace a file may be another one: it has been moved or replaced. A resident server compares its own
 * namespace. What is named now is looked up here.
 */
export async function requireSamePlaces(
  record: DeviceRecord,
  { target, targetOptions, files, server }: AddOptions,
  { target: namedTarget, targetOptions: named = {}, files: namedFiles = [] }: Partial<AddOptions>,
): Promise<void> {
  const { id, mounts } = record;
  const here = currentNamespace('mnt');
  if (server !== null || mounts === undefined || mounts === here) return;
  const isNamed =
    namedTarget !== undefined || Object.keys(builtInTarget(target)?.displaces ?? {}).some((name) => name in named);
  const paths = [...(namedFiles.length > 0 ? [] : files), ...(isNamed ? [] : pathsAmong(target, targetOptions))];
  const moved = await firstMoved(placesIn(record).filter(({ path }) => paths.includes(path)));
  if (moved === undefined) return;
  throw new UblkError(
    `device ${id} was made in another mount namespace (${mounts}, and this is ${here}): ${moved} is not here what it is there`,
    {
      code: 'EXDEV',
      kind: 'usage',
      device: id,
      command: 'START_USER_RECOVERY',
      hint: `recover it from there (\`nsenter --mount=...\`), or name what it is made of as it is found here: \`ublkts recover -n ${id} ...\``,
    },
  );
}

/** Where the record says that the device's files and its other paths led. */
function placesIn({ spec, identities = [], places = [] }: DeviceRecord): readonly Place[] {
  const files = spec.files.flatMap((path, index) => {
    const identity = identities[index];
    return identity === undefined ? [] : [{ path, identity }];
  });
  return [...files, ...places];
}

/** The first path that leads elsewhere now, or nowhere. A file that does not answer is not among them: it is given up later. */
async function firstMoved(places: readonly Place[]): Promise<string | undefined> {
  for (const { path, identity } of places) {
    const stat = await lookAt(path);
    if (stat !== 'late' && (stat === null || !isSameIdentity(identityOf(stat), identity))) return path;
  }
  return undefined;
}
