/** The record of a device that is about to get a server, which reads there what it is to serve. */
import { instanceOf } from '../control/discovery.ts';
import { currentNamespace } from '../native/namespaces.ts';
import { newAttempt } from '../record/attempt.ts';
import { type DeviceRecord, RECORD_VERSION } from '../record/device-record.ts';
import { type FoundFile, identityOf } from '../targets/looks.ts';

/** The fields that the record of a recovered device takes over from its record before. */
export type Kept = Pick<DeviceRecord, 'server' | 'generation' | 'recorded' | 'buffers' | 'unsettled'>;

interface Asked extends Pick<DeviceRecord, 'id' | 'options' | 'spec' | 'places'> {
  readonly files: readonly FoundFile[];
}

const NOTHING: Kept = { server: null, generation: 0, recorded: true, buffers: [], unsettled: null };

/** Paths and addresses in it are those of this process: the server is to be in the same namespaces. */
export function newRecord(
  { files, ...asked }: Asked,
  kept: Kept = NOTHING,
): DeviceRecord & { readonly attempt: string } {
  return {
    version: RECORD_VERSION,
    instance: instanceOf(asked.id),
    ...asked,
    ...kept,
    attempt: newAttempt(),
    identities: files.map(({ stat }) => identityOf(stat)),
    network: currentNamespace('net'),
    mounts: currentNamespace('mnt'),
    previous: null,
    ended: null,
  };
}
