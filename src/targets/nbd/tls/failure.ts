/** The errors of TLS in words. Their messages are predicates of "the server", as in handshake/failure.ts. */
import { UblkError } from '../../../errors.ts';
import { TLS_PARAMETERS } from './options.ts';

/** Node's error codes for a certificate that is not good enough. Its messages say why. */
const CERTIFICATE =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_(?:CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED|ERR_TLS_CERT_|CRL_)/;

export function tlsError(thrown: unknown): UblkError {
  if (thrown instanceof UblkError) return thrown;
  const { code = '', reason, message = String(thrown) } = (thrown ?? {}) as Readonly<Record<string, string>>;
  if (code === 'ECONNRESET') return closedError();
  const why = (reason ?? OPENSSL.exec(message)?.[1] ?? message).replace(ADVICE, '');
  if (CERTIFICATE.test(code)) {
    return new UblkError(`the certificate of the server is not trusted: ${otherName(thrown as WrongName) ?? why}`, {
      code,
      kind: 'failed',
      command: 'STARTTLS',
      hint: DATES.test(code) ? OF_DATES : OF_AUTHORITY,
    });
  }
  return new UblkError(`TLS with the server fails: ${why}`, {
    code: code === '' ? 'EPROTO' : code,
    kind: 'failed',
    command: 'STARTTLS',
    hint: HINT,
  });
}

/** The fields that Node adds to the error about a certificate that is made out to another name. */
interface WrongName {
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string | string[] } };
}

/** Node's own words for it leave out a name that is not in the list of names, and the list is empty then. */
function otherName({ host, cert }: WrongName): string | undefined {
  const names = cert?.subjectaltname?.replaceAll(/(?:DNS|IP Address):/g, '') ?? String(cert?.subject?.CN ?? '');
  return host === undefined || names === '' ? undefined : `it is made out to ${names}, and not to ${host}`;
}

/** A server that refuses the client's certificate or key may give the reason only in its own log. */
export function closedError(): UblkError {
  return new UblkError('the server closes the connection when it is to use TLS', {
    code: 'ECONNRESET',
    command: 'STARTTLS',
    hint: HINT,
  });
}

const OF_AUTHORITY = `${TLS_PARAMETERS.certificates}=DIR names the directory with the ca-cert.pem that has signed it; ${TLS_PARAMETERS.hostname}=NAME the name that it is made out to`;
/** The codes about the dates of a certificate, of its authority's, or of a list of revoked ones. */
const DATES = /_(?:HAS_EXPIRED|NOT_YET_VALID)$/;
const OF_DATES =
  'renew it, unless the clock of this machine is wrong; `openssl x509 -noout -dates -in FILE` shows its dates';
const HINT = 'the log of the server may say why; it may want a client certificate, or another shared key';
/** An error of OpenSSL's while data is written, to which Node adds no reason: `THREAD:error:NUMBER:LIBRARY:FUNCTION:REASON:...`. */
const OPENSSL = /:error:[\dA-F]+:[^:]*:[^:]*:([^:]+):/;
/** Advice about Node that it appends to its messages. */
const ADVICE = /; if the root CA is installed locally.*$/;
