/** A resident server that was just started. */
import type { StartedServer } from '../../device/servers/serve.ts';
import { DEFAULT_SERVER } from '../../spec/server-options.ts';
import { nextLine } from './next.ts';
import type { Views } from './views.ts';

type Server = Pick<StartedServer, 'name' | 'pid'>;

export function serverViews(server: Server): Views {
  return {
    json: { server },
    kublk: () => `server ${server.name} pid ${server.pid}\n`,
    table: () => serverCard(server),
  };
}

function serverCard({ name, pid }: Server): string {
  const flag = name === DEFAULT_SERVER ? '--server' : `--server=${name}`;
  return `server ${name} takes devices: pid ${pid}\n${nextLine(`ublkts add ${flag} -t null`)}`;
}
