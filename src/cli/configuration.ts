/** The configuration file of `add`. It has lines `KEY = VALUE`, and comments that begin with `#`. */
import { readFileSync } from 'node:fs';
import { usageError } from '../errors.ts';
import { serverName } from '../spec/server-options.ts';

/** The environment variable UBLKTS_CONFIG names another file; when it is empty, no file is read. */
export const CONFIGURATION_FILE = '/etc/ublkts.conf';

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
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && process.env['UBLKTS_CONFIG'] === undefined) return [];
    throw usageError(`cannot read the configuration file ${path}: ${code}`, 'UBLKTS_CONFIG= does without one');
  }
}
