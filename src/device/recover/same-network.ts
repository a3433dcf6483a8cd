/** Whether an address leads to the same machine as when the device was made. */
import { UblkError } from '../../errors.ts';
import { currentNamespace } from '../../native/namespaces.ts';
import type { DeviceRecord } from '../../record/device-record.ts';
import type { AddOptions } from '../../spec/options.ts';
import { builtInTarget } from '../../targets/registry.ts';

/**
 * Refuses to connect to an address of another network namespace (a container): there may be another server at it, and the
 * device would get other data. A resident server compares its own namespace. What is named now is looked up here.
 */
export function requireSameNetwork(
  { id, network }: DeviceRecord,
  { target, targetOptions, server }: AddOptions,
  { targetOptions: named = {} }: Partial<AddOptions>,
): void {
  const here = currentNamespace('net');
  if (server !== null || network === undefined || network === here) return;
  const builtIn = builtInTarget(target);
  const isNamedNow = Object.keys(builtIn?.displaces ?? {}).some((name) => name in named);
  if (isNamedNow || builtIn?.namespaces(targetOptions).includes('net') !== true) return;
  throw new UblkError(
    `device ${id} was made in another network namespace (${network}, and this is ${here}): its address may lead to another server here`,
    {
      code: 'EXDEV',
      kind: 'usage',
      device: id,
      command: 'START_USER_RECOVERY',
      hint: `recover it from there (\`nsenter --net=...\`, \`ip netns exec\`), or name its server as it is found here: \`ublkts recover -n ${id} URI\``,
    },
  );
}
