/** Settings of `add` that are no flags. They stand in the environment, or in a file with lines `KEY = VALUE` and comments that begin with `#`. */
import { closeSync, openSync, readSync } from 'node:fs';
import { usageError } from '../errors.ts';
import { serverName } from '../spec/server-options.ts';

/** The environment variable UBLKTS_CONFIG names another file; when it is empty, no file is read. */
export const CONFIGURATION_FILE = '/etc/ublkts.conf';
/** A file of which more bytes can be read is none of ours, such as /dev/zero. */
const MOST_BYTES = 64 << 10;

/**
 * The resident server that gets a new device; undefined: the device gets a process of its own. The flag comes before the
 * environment, and that before the file. A device in the foreground has a process of its own, whatever these two say.
 */
export function serverOf(flags: {
  readonly server?: string | undefined;
  readonly foreground: boolean;
}): string | undefined {
  if (flags.server !== undefined) return flags.server;
  const named = process.env['UBLKTS_SERVER'];
  if (flags.foreground || named === '') return undefined;
  return named === undefined ? configuredServer() : serverName(named);
}

/** The resident server that `server = NAME` gives each new device to; undefined: the file does not say. */
export function configuredServer(): string | undefined {
  const path = process.env['UBLKTS_CONFIG'] ?? CONFIGURATION_FILE;
  let server: string | undefined;
  for (const [index, line] of linesOf(path).entries()) {
    const text = line.replace(/#.*/, '').trim();
    if (text === '') continue;
    const [, key, value = ''] = /^([\w.-]+)\s*=\s*(.*)$/.exec(text) ?? [];
    if (key !== 'server' || value === '') {
      throw usageError(`line ${index + 1} of ${path} cannot be used: ${text}`, 'it can say one thing: server = NAME');
    }
    server = serverName(value);
  }
  return server;
}

function linesOf(path: string): string[] {
  if (path === '') return [];
  try {
    return beginningOf(path).split('\n');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && process.env['UBLKTS_CONFIG'] === undefined) return [];
    throw usageError(`cannot read the configuration file ${path}: ${code}`, 'UBLKTS_CONFIG= does without one');
  }
}

function beginningOf(path: string): string {
  const bytes = Buffer.alloc(MOST_BYTES + 1);
  const fd = openSync(path, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > MOST_BYTES) throw Object.assign(new Error(), { code: 'EFBIG' });
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}
