/** The refusal of a device that has no record, so that a server does not know what it has to serve. */
import { UblkError } from '../errors.ts';
import { RUN_DIRECTORY } from './files.ts';

export function noRecord(device: number): UblkError {
  return new UblkError(`device ${device} has no record in ${RUN_DIRECTORY}`, {
    code: 'ENOENT',
    device,
    hint: `\`ublkts list -n ${device}\` shows whether it is there; \`ublkts recover -n ${device}\` needs its target and files then`,
  });
}
