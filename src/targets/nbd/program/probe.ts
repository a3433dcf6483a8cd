/** Asks a program for its export before there is a device: starts it, asks, and ends it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunDirectories, RUN_DIRECTORY } from '../../../record/files.ts';
import { askExport } from '../ask.ts';
import type { NbdExport } from '../handshake/export.ts';
import { parseNbdUri } from '../uri.ts';
import type { Program } from './command.ts';
import { explained } from './last-words.ts';
import { uriIn } from './socket.ts';
import { startProgram, untilListening } from './start.ts';

/** Throws a UblkError when the program does not start, or does not serve the export. `signal` gives up; the program has ended then. */
export async function askProgram(program: Program, exportName: string, signal?: AbortSignal): Promise<NbdExport> {
  makeRunDirectories();
  const folder = mkdtempSync(join(RUN_DIRECTORY, `program-${process.pid}-`));
  try {
    const started = startProgram(program, folder, join(folder, 'log'));
    try {
      await untilListening(program, started, folder, signal);
      return await askExport(parseNbdUri(uriIn(folder, exportName)), signal);
    } catch (error) {
      throw signal?.aborted === true ? error : await explained(program, started, error);
    } finally {
      await started.end();
    }
  } finally {
    rmSync(folder, { force: true, recursive: true });
  }
}
