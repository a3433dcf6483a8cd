/** Why a buffer is not registered or unregistered. */
import { UblkError } from '../../errors.ts';
import { BUFFER_SLOTS } from '../../stats/layout.ts';

/** A process that touches a mapping beyond the end of its file is killed (docs/decisions/0008). */
export function notSealed(device: number, source: string): UblkError {
  return new UblkError(
    `cannot register ${source}: its owner could cut it short, which would kill the server, whose target reads the bytes itself`,
    {
      code: 'EPERM',
      kind: 'failed',
      device,
      command: 'REG_BUF',
      hint: `use memory whose size is sealed: \`ublkts reg-buf -n ${device} --memfd 4M --seal\`, or a memfd with F_SEAL_SHRINK`,
    },
  );
}

export function noSuchBuffer(device: number, index: number): UblkError {
  return new UblkError(`device ${device} has no registered buffer ${index}`, {
    code: 'ENOENT',
    device,
    command: 'UNREG_BUF',
    hint: 'see the buffers in `ublkts list --json`',
  });
}

/** Ends a registration whose client has left, so no client gets this error. */
export function unawaited(device: number): UblkError {
  return new UblkError('the client has left', { code: 'ECANCELED', device, command: 'REG_BUF' });
}

export function tooMany(device: number): UblkError {
  return new UblkError(`device ${device} has ${BUFFER_SLOTS} registered buffers, as many as there can be`, {
    code: 'ENOSPC',
    device,
    command: 'REG_BUF',
    hint: 'unregister one that is not in use: `ublkts unreg-buf`',
  });
}
