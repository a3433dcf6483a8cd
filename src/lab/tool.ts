import { labError, missingTool } from './errors.ts';
import { NOT_STARTED, tiedToThisProcess } from '../native/tied.ts';

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Hears every line that the tool prints, on stdout, stderr or fd 3. */
  readonly onLine?: (line: string) => void;
  /** Where the tool comes from when it is missing. Default: a package of the tool's name. */
  readonly debianPackage?: string;
  /** Gives the tool a mount namespace of its own: its mounts end with its last process, also when that is killed. */
  readonly ownMounts?: boolean;
}

/**
 * Runs one of the host's programs to its end and returns its stdout. A failure says what was run and the last lines
 * that it printed. It inherits nothing from the terminal, so that it can neither draw on it nor ask.
 */
export async function runTool(file: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  // An ES module, which a file of CommonJS imports when it is needed.
  const { ExecaError, execa } = await import('execa');
  const { signal } = options;
  const printed: string[] = [];
  const listen = function* (line: string): Generator<string> {
    printed.push(line);
    options.onLine?.(line);
    yield line;
  };
  try {
    const [first, ...rest] = options.ownMounts === true ? ['unshare', '--mount', file, ...args] : [file, ...args];
    const { stdout } = await execa(...tiedToThisProcess('TERM', first, rest), {
      stdio: ['ignore', ['pipe', listen], ['pipe', listen], ['pipe', listen]],
      // Some of the output is parsed here.
      env: { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive', ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      // mmdebstrap unmounts and removes what it made when it is asked to end, which takes a moment.
      ...(signal === undefined ? {} : { cancelSignal: signal, forceKillAfterDelay: 15_000 }),
    });
    return stdout;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ExecaError)) throw error;
    if (error.code === 'ENOENT') throw missingTool('setpriv', 'util-linux');
    if (printed.some((line) => NOT_STARTED.test(line))) throw missingTool(file, options.debianPackage ?? file);
    const how = error.signal === undefined ? `exit code ${error.exitCode}` : error.signal;
    throw labError([`${file} failed (${how})`, ...printed.slice(-8)].join('\n'), { cause: error });
  }
}
