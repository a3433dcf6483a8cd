/** The error of an address that cannot be listened on. */
import { UblkError } from '../../errors.ts';
import { errnoNumber, errnoText } from '../../native/uapi/errno.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export function listenFailure({ host, port }: Address, cause: NodeJS.ErrnoException): UblkError {
  const { code = 'EIO', message } = cause;
  const errno = errnoNumber(code);
  const words = errno === undefined ? (RESOLVER_WORDS[code] ?? message) : errnoText(errno);
  return new UblkError(`cannot listen on ${host}:${port}: ${words} (${code})`, {
    code,
    kind: code === 'EADDRINUSE' ? 'busy' : code === 'EACCES' ? 'permission' : 'failed',
    hint: HINTS[code] ?? 'name an address of this machine (`ip address` lists them), or 0.0.0.0 for all of them',
    cause,
  });
}

/** The errors of a look-up of a name, which are no errnos of the kernel. */
const RESOLVER_WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name server does not answer',
};

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program may be using the port: choose another port or address',
  EACCES: 'ports below 1024 need root: choose another port',
};
