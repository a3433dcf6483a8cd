/** Asks a server for an export without using it. */
import { UblkError } from '../../errors.ts';
import { askNbd } from './connect.ts';
import type { NbdExport } from './handshake/export.ts';
import { chooseExport, describeExport } from './handshake/negotiate.ts';
import type { NbdUri } from './uri.ts';

/**
 * A `qemu-nbd` without --persistent ends with its first client, and one that only asks (NBD_OPT_INFO) is none. Servers
 * that do not know that option have to be asked by choosing the export.
 */
export async function askExport(uri: NbdUri): Promise<NbdExport> {
  const { exportName } = uri;
  try {
    return await askNbd(uri, (greeted) => describeExport(exportName, greeted));
  } catch (error) {
    if (!(error instanceof UblkError) || error.code !== 'EOPNOTSUPP') throw error;
    return (await askNbd(uri, (greeted) => chooseExport({ exportName, structured: false }, greeted))).export;
  }
}
