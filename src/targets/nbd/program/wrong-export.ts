/** Names the exports of a program that has none of the name that was asked for: its socket is private, and goes with it. */
import { UblkError } from '../../../errors.ts';
import { option } from '../../../spec/option-names.ts';
import { escapeControls } from '../../../text/escape.ts';
import { askNbd } from '../connection/connect.ts';
import { listExports } from '../handshake/negotiate.ts';
import { parseNbdUri } from '../uri.ts';
import { uriIn } from './socket.ts';

const MOST_NAMED = 8;

/** Resolves to `error` with another hint if it says that the program in `folder`, which runs, has no such export. */
export async function withExports(folder: string, error: unknown): Promise<unknown> {
  // An ENOENT of a system call has the name of the call.
  if (!(error instanceof UblkError) || error.code !== 'ENOENT' || error.command !== undefined) return error;
  const names = await namesIn(folder);
  const hint =
    names.length === 0
      ? ['start the program by itself, and ask it with `ublkts nbd-info`']
      : [
          `it has ${list(names)}: name one with `,
          option('targetOptions.export'),
          ', or none for the export without a name',
        ];
  return new UblkError(error.message, { code: error.code, kind: error.kind, hint });
}

/** The names of the exports of the program's server; none when it does not list them. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await askNbd(parseNbdUri(uriIn(folder, '')), listExports)).map(({ name }) => name).toSorted();
  } catch {
    return [];
  }
}

function list(names: readonly string[]): string {
  const some = names.slice(0, MOST_NAMED).map((name) => escapeControls(JSON.stringify(name)));
  const rest = names.length - some.length;
  return `the exports ${some.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
