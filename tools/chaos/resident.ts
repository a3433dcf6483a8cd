/** The resident server of a round that has one. */
import { existsSync } from 'node:fs';
import { library } from '../guest/library.ts';

export const SERVER = 'chaos';
/** As many as the largest round has queues. */
const THREADS = 3;

export const SERVER_LOG = `/run/ublkts/server-${SERVER}.log`;
const SERVER_LOCK = `/run/ublkts/server-${SERVER}.lock`;

export async function startResident(): Promise<void> {
  await library.startServer({ name: SERVER, threads: THREADS });
}

/** A server that was killed leaves its files, which the next one of its name takes over and removes. */
export async function endResident(): Promise<void> {
  if (!existsSync(SERVER_LOCK)) return;
  const server = await library.openServer({ name: SERVER });
  await server.end();
}
