/** The options of the target nbd. */
import { usageError } from '../../errors.ts';
import { option } from '../../spec/option-names.ts';
import { filesOf } from '../../record/files.ts';
import { parseSwitch } from '../switch.ts';
import { programOf, recordedProgram } from './program/command.ts';
import { uriIn } from './program/socket.ts';
import { TLS_PARAMETERS } from './tls/options.ts';
import { asksForTls, exportNameProblem, formatNbdUri, type NbdUri, parseNbdUri } from './uri.ts';

export const NBD_OPTIONS = {
  uri: 'the export: nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH; nbds and nbds+unix with TLS',
  program: 'instead of a URI: a program that is started for the device and serves it, quoted as for a shell',
  export: 'with a program: the name of its export (default: the export without a name)',
  directory: 'the directory that the program is started in (default: the current one)',
  reconnect_delay: 'seconds that requests wait for a lost server before they fail; 0: for ever (default 0)',
  request_timeout:
    'seconds within which the server must answer a request, or its connection is made again; 0: no limit (default 0)',
  tls_certificates:
    'nbds: a directory with ca-cert.pem, and client-cert.pem and client-key.pem if the server asks for them',
  tls_psk_file: 'nbds: a file with the key USER:HEX that is shared with the server; the user is that of the URI',
  tls_hostname: "nbds: the name in the server's certificate (default: the host of the URI)",
  tls_verify_peer: "no: nbds does not look at the server's certificate (default yes)",
  structured_replies: 'yes: ask for structured replies, so that the holes of an image are not sent (default no)',
} as const;

export interface NbdOptions {
  readonly uri: NbdUri;
  /** 0: requests wait for ever. */
  readonly reconnectSeconds: number;
  /** Within what time a server that is connected must answer a request; 0: no limit. */
  readonly requestSeconds: number;
  readonly structured: boolean;
}

const URI = option('targetOptions.uri');
/** 23 days. Node's timers go up to 2^31 - 1 milliseconds, which is nearly 25 days. */
const MAX_SECONDS = 2_000_000;

/** Parses the options. Throws a usage error for a wrong one. */
export function parseNbdOptions(options: Readonly<Record<string, string>>): NbdOptions {
  const { uri, export: exportName, structured_replies: structured = 'no' } = options;
  if (uri === undefined) {
    throw usageError(
      ['target nbd needs ', URI],
      'name it, for example: ublkts add -t nbd nbd://host/export, or start a server: ublkts add -t nbd -- nbdkit memory 1G',
    );
  }
  if (exportName !== undefined) {
    throw usageError(
      [option('targetOptions.export'), ' goes with a program, and ', URI, ' is named'],
      'name the export in the URI: nbd://host/EXPORT',
    );
  }
  return {
    uri: uriOf(uri, options),
    reconnectSeconds: secondsOf(options, 'reconnect_delay'),
    requestSeconds: secondsOf(options, 'request_timeout'),
    structured: parseSwitch(structured, 'structured_replies'),
  };
}

function secondsOf(options: Readonly<Record<string, string>>, name: 'reconnect_delay' | 'request_timeout'): number {
  const text = options[name] ?? '0';
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= MAX_SECONDS) return seconds;
  throw usageError(
    [option(`targetOptions.${name}`), ` ${JSON.stringify(text)} is not a number of seconds`],
    `it goes from 0 to ${MAX_SECONDS}`,
  );
}

/**
 * The options as they are recorded: paths have become absolute, and the options of TLS have become parameters of the
 * URI.
 */
export function recordedNbdOptions(options: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { uri } = options;
  const recorded = recordedProgram(options);
  if (uri === undefined) return recorded;
  const rest = Object.entries(recorded).filter(([name]) => !(name in TLS_OPTIONS));
  return { ...Object.fromEntries(rest), uri: formatNbdUri(uriOf(uri, options)) };
}

/** The options of TLS, and the parameters of the URI that they stand for. */
const TLS_OPTIONS = {
  tls_certificates: TLS_PARAMETERS.certificates,
  tls_psk_file: TLS_PARAMETERS.pskFile,
  tls_hostname: TLS_PARAMETERS.hostname,
  tls_verify_peer: TLS_PARAMETERS.verifyPeer,
} as const;

/** Parses the URI, with the options of TLS as parameters of it. */
function uriOf(text: string, options: Readonly<Record<string, string>>): NbdUri {
  const given = Object.entries(TLS_OPTIONS).flatMap(([name, parameter]) => {
    const value = options[name];
    return value === undefined ? [] : [{ name, parameter, value }];
  });
  const [first] = given;
  if (first !== undefined && !asksForTls(text)) {
    throw usageError(
      [option(`targetOptions.${first.name}`), ` cannot be used with ${JSON.stringify(text)}`],
      'TLS needs a URI that begins with nbds:// or nbds+unix://',
    );
  }
  for (const { name, value } of given) if (name === 'tls_verify_peer') parseSwitch(value, name);
  return parseNbdUri(text, new Map(given.map(({ parameter, value }) => [parameter, value])));
}

/**
 * The options of a device's connections: the socket of the device's program stands in place of the program. `device`: the
 * id, or -1 while there is none.
 */
export function connectionOptions(
  options: Readonly<Record<string, string>>,
  device: number,
): Readonly<Record<string, string>> {
  if (programOf(options) === null) return options;
  const { program: _program, directory: _directory, export: exportName = '', ...rest } = options;
  const wrong = exportNameProblem(exportName);
  if (wrong !== null) throw usageError([option('targetOptions.export'), ` ${wrong}`]);
  return { ...rest, uri: uriIn(filesOf(device).program, exportName) };
}
