/** Where a program of a device listens. */
import { join } from 'node:path';
import { formatNbdUri } from '../uri.ts';

export function socketIn(folder: string): string {
  return join(folder, 'socket');
}

/** The URI of an export of the program whose folder this is. The name of the default export is empty. */
export function uriIn(folder: string, exportName: string): string {
  return formatNbdUri({ address: { kind: 'unix', path: socketIn(folder) }, exportName });
}
