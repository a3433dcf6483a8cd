/** Asks a program for its export before there is a device: starts it, asks, and ends it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeRunDirectories, RUN_DIRECTORY } from '../../../record/files.ts';
import { changing } from '../../../record/run-files.ts';
import { askExport } from '../ask.ts';
import type { NbdExport } from '../handshake/export.ts';
import { parseNbdUri } from '../uri.ts';
import type { Program } from './command.ts';
import { explained } from './last-words.ts';
import { uriIn } from './socket.ts';
import { failed, startProgram, untilListening } from './start.ts';

/**
 * Throws a UblkError when the program does not start, does not serve the export, or does not end again. `signal` gives up;
 * the program has ended then.
 */
export async function askProgram(program: Program, exportName: string, signal?: AbortSignal): Promise<NbdExport> {
  makeRunDirectories();
  const template = join(RUN_DIRECTORY, `program-${process.pid}-`);
  const folder = changing(template, () => mkdtempSync(template));
  let hasEnded = true;
  let offered: NbdExport;
  try {
    const started = startProgram(program, folder, join(folder, 'log'));
    try {
      await untilListening(program, started, folder, signal);
      offered = await askExport(parseNbdUri(uriIn(folder, exportName)), signal);
    } catch (error) {
      throw signal?.aborted === true ? error : await explained(program, started, folder, error);
    } finally {
      hasEnded = await started.end();
    }
  } finally {
    if (hasEnded) rmSync(folder, { force: true, recursive: true });
  }
  // Two programs must not write to one image.
  if (!hasEnded) throw failed(program, 'was asked what it exports, and does not end');
  return offered;
}
