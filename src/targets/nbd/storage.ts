/** The export of an nbd device, as `update_size` asks for its size. */
import type { RemoteStorage } from '../target.ts';
import { askExport } from './ask.ts';
import { connectionOptions, parseNbdOptions } from './options.ts';
import { formatNbdUri, type NbdUri } from './uri.ts';

type Options = Readonly<Record<string, string>>;

export const nbdStorage: RemoteStorage = {
  name: (options, device) => formatNbdUri(uriOf(options, device)),
  size: async (options, device, signal) => (await askExport(uriOf(options, device), signal)).bytes,
  enlarge: 'make the export larger on its server first',
};

/** The URI of the export. A device with a program has that of the program's private socket. */
function uriOf(options: Options, device: number): NbdUri {
  return parseNbdOptions(connectionOptions(options, device)).uri;
}
