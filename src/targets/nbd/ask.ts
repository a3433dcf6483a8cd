/** Asks a server for an export without using it. */
import { UblkError } from '../../errors.ts';
import { askNbd, connectNbd } from './connection/connect.ts';
import type { NbdExport } from './handshake/export.ts';
import { chooseExport, describeExport } from './handshake/negotiate.ts';
import { leave } from './transmission/goodbye.ts';
import type { NbdUri } from './uri.ts';

/**
 * Asks with NBD_OPT_INFO, because a `qemu-nbd` without --persistent ends when its first client leaves, and a client
 * that only asks does not count. Servers that do not know this option are asked by choosing the export, and so are those
 * that describe it as empty: nbd-server (3.26) does that with every export, until one is chosen.
 */
export async function askExport(uri: NbdUri, signal?: AbortSignal): Promise<NbdExport> {
  const described = await describedExport(uri, signal);
  if (described !== null && described.bytes > 0) return described;
  const choose = (greeted?: number) => chooseExport({ exportName: uri.exportName, structured: false }, greeted);
  const { fd, result } = await connectNbd(uri, choose, { signal });
  leave(fd);
  return { ...result.export, description: described?.description ?? result.export.description };
}

/** null when the server does not know the option. */
async function describedExport(uri: NbdUri, signal: AbortSignal | undefined): Promise<NbdExport | null> {
  try {
    return await askNbd(uri, (greeted) => describeExport(uri.exportName, greeted), { signal });
  } catch (error) {
    if (error instanceof UblkError && error.code === 'EOPNOTSUPP') return null;
    throw error;
  }
}
