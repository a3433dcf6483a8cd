/** A disk in memory that an NBD server exports over a unix socket. */
import { type Program, startServer } from '../../targets/nbd/servers.ts';
import { sh } from '../guest.ts';

export const FOLDER = '/dev/shm/nbd';
export const SOCKET = `${FOLDER}/socket`;
export const DISK = `${FOLDER}/disk`;
export const URI = `nbd+unix:///?socket=${SOCKET}`;
/** The first words of a server that listens on the socket. */
export const UNIX = ['nbdkit', '-f', '-U', SOCKET];

/** Makes the disk anew: the verifier takes what it has not written for zeroes. */
export function blankDisk(): void {
  sh(`mkdir -p ${FOLDER}; rm -f ${DISK} && truncate -s 32M ${DISK}`);
}

/** Runs the server of these words while `use` runs. */
export async function serving(words: readonly string[], use: () => Promise<void> | void): Promise<void> {
  const server: Program = await startServer(words, SOCKET);
  try {
    await use();
  } finally {
    await server.kill();
  }
}
