/** The errors of a negotiation. Their messages are predicates of "the server", to which connect.ts adds which server that is. */
import { UblkError } from '../../../errors.ts';
import { escapeControls } from '../../../text/escape.ts';
import {
  NBD_REP_ERR_BLOCK_SIZE_REQD,
  NBD_REP_ERR_EXT_HEADER_REQD,
  NBD_REP_ERR_INVALID,
  NBD_REP_ERR_PLATFORM,
  NBD_REP_ERR_POLICY,
  NBD_REP_ERR_SHUTDOWN,
  NBD_REP_ERR_TLS_REQD,
  NBD_REP_ERR_TOO_BIG,
  NBD_REP_ERR_UNKNOWN,
  NBD_REP_ERR_UNSUP,
} from '../protocol/numbers.ts';

/** The server sent something that the protocol does not allow. */
export function protocolError(what: string): UblkError {
  return new UblkError(`the server does not follow the NBD protocol: ${what}`, {
    code: 'EPROTO',
    hint: 'see whether another client, for example `nbdinfo`, can use this server',
  });
}

/** The export is valid, but larger than what the kernel and this program can count. */
export function tooLarge(bytes: bigint): UblkError {
  return new UblkError(`the export has ${bytes} bytes, more than this program can serve (2^53 - 1)`, {
    code: 'EFBIG',
    hint: 'make the export smaller on its server, for example with `nbdkit --filter=truncate`',
  });
}

/** `text` is what the server has added in words; it may be empty. */
export function optionRefused(type: number, asked: string, text: string): UblkError {
  const { code, why, hint } = REASONS[type] ?? { code: 'EPROTO', why: `error 0x${type.toString(16)}` };
  const words = text === '' ? '' : ` (${escapeControls(text)})`;
  return new UblkError(`the server refuses ${asked}: ${why}${words}`, {
    code,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The server has no TLS, and the URI wants it. */
export function tlsRefused(type: number, text: string): UblkError {
  const { code, message } = optionRefused(type, 'TLS', text);
  const isWithout = NO_TLS.includes(type);
  return new UblkError(isWithout ? 'the server does not offer TLS' : message, {
    code,
    kind: 'failed',
    command: 'STARTTLS',
    hint: 'start the server with TLS; the URI of a server without it begins with nbd:// or nbd+unix://, and all data can be read on the way',
  });
}

const NO_TLS = [NBD_REP_ERR_UNSUP, NBD_REP_ERR_POLICY, NBD_REP_ERR_PLATFORM];

interface Reason {
  readonly code: string;
  readonly why: string;
  readonly hint?: string;
}

const REASONS: Readonly<Record<number, Reason>> = {
  [NBD_REP_ERR_UNSUP]: { code: 'EOPNOTSUPP', why: 'it does not know this option' },
  [NBD_REP_ERR_POLICY]: { code: 'EPERM', why: 'it is not allowed for this client' },
  [NBD_REP_ERR_INVALID]: { code: 'EINVAL', why: 'it takes the option for wrong' },
  [NBD_REP_ERR_PLATFORM]: { code: 'EOPNOTSUPP', why: 'its platform does not have it' },
  [NBD_REP_ERR_TLS_REQD]: {
    code: 'EPERM',
    why: 'it wants TLS',
    hint: 'begin the URI with nbds:// or nbds+unix://, and name what the server asks for with tls-certificates=DIR or tls-psk-file=FILE',
  },
  [NBD_REP_ERR_UNKNOWN]: {
    code: 'ENOENT',
    why: 'it has no such export',
    hint: '`ublkts nbd-info URI` without a name in the URI lists the exports',
  },
  [NBD_REP_ERR_SHUTDOWN]: { code: 'ESHUTDOWN', why: 'it is about to end' },
  [NBD_REP_ERR_BLOCK_SIZE_REQD]: { code: 'EINVAL', why: 'it wants a client that respects its block sizes' },
  [NBD_REP_ERR_TOO_BIG]: { code: 'EINVAL', why: 'the option is too long for it' },
  [NBD_REP_ERR_EXT_HEADER_REQD]: { code: 'EOPNOTSUPP', why: 'it wants extended headers, which are not supported' },
};
