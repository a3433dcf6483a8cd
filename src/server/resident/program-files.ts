/**
 * Notices that the files of the program were replaced while a resident server runs, as an update does. A thread that it
 * started then would be of another version, and could misread what this process tells it about a device.
 */
import { statSync } from 'node:fs';
import { UblkError } from '../../errors.ts';
import { packagePath } from '../../package-root.ts';

/** The files that the threads of devices are started from. */
const FILES = ['dist/queue/main.cjs', 'dist/queue/shared/main.cjs'];

export class ProgramFiles {
  readonly #paths: readonly string[];
  readonly #began: string;

  constructor(paths: readonly string[] = FILES.map((file) => packagePath(file))) {
    this.#paths = paths;
    this.#began = stampsOf(paths);
  }

  /** Throws when the files are no longer those of the start of the server with this name. */
  requireSame(server: string): void {
    if (stampsOf(this.#paths) !== this.#began) throw replacedError(server);
  }
}

function stampsOf(paths: readonly string[]): string {
  return paths.map(stampOf).join(', ');
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : [stat.dev, stat.ino, stat.size, stat.mtimeMs].join(' ');
}

function replacedError(server: string): UblkError {
  return new UblkError(
    `the program's files were replaced while the server ${server} (pid ${process.pid}) runs, so it can start no device any more`,
    {
      code: 'ESTALE',
      hint: `\`kill -9 ${process.pid} && ublkts recover -a\` gives its devices a new server, except those that were made without -i, -r and -e, which are lost; \`ublkts serve --name NAME\` starts another server for new devices`,
    },
  );
}
