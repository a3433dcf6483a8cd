/**
 * Checks a target on a real device in a guest of the lab. The guest gets the modules in the target's folder and the files
 * that the target is given, all below /check, so nothing on this machine is written.
 */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UblkError } from '../../errors.ts';
import type { TaskOptions } from '../../lab/progress.ts';
import { runInGuest } from '../../lab/run.ts';
import { formatSize } from '../../sizes.ts';
import { findTarget, ownTargetFile } from '../find.ts';
import { loadDefinition } from '../load/load.ts';
import type { CheckOptions, Finding } from './check.ts';
import { deviceScript } from './device-script.ts';
import { LabFindings } from './lab-findings.ts';
import { modulesBelow } from './modules-below.ts';

const BELOW = '/check';
const SCRIPT = '/lab/check.sh';
const SECONDS = 900;
/** The most bytes of modules and of files that go to the guest, each. */
const MOST_BYTES = 64 * 2 ** 20;
/** A file that takes no more than this on its disk is taken for a hole. */
const HOLE_BYTES = 64 * 1024;

export async function checkInLab(name: string, options: CheckOptions & TaskOptions): Promise<Finding[]> {
  const { files, readOnly, signal, onProgress } = options;
  const target = await ownTargetFile(name);
  const type = await findTarget(target);
  const isRing = type.looksAtData !== true;
  const targetOptions = type.recorded?.(options.targetOptions) ?? options.targetOptions;
  const kinds = isRing ? {} : ((await loadDefinition(target)).options ?? {});
  const isPath = (option: string): boolean => kinds[option]?.kind === 'path';
  const paths = Object.entries(targetOptions).flatMap(([option, value]) => (isPath(option) ? [value] : []));
  const given = await contentsOf([...files, ...paths]);
  const script = deviceScript({
    target: below(target),
    files: files.map(below),
    targetOptions: Object.fromEntries(
      Object.entries(targetOptions).map(([option, value]) => [option, isPath(option) ? below(value) : value]),
    ),
    readOnly,
    isRing,
    folders: [...given.folders, ...paths.map((path) => dirname(path))].map(below),
    empty: given.empty,
  });
  const said = new LabFindings(onProgress ?? (() => {}));
  const { exitCode } = await runInGuest({
    command: ['bash', SCRIPT],
    files: { ...(await modulesOf(dirname(target))), ...given.files, [SCRIPT]: script },
    timeoutSeconds: SECONDS,
    onStdout: said.stdout,
    onStderr: said.stderr,
    signal,
    onProgress,
  });
  return said.findings(exitCode);
}

function below(path: string): string {
  return join(BELOW, path);
}

interface Contents {
  readonly files: Record<string, Uint8Array>;
  readonly folders: string[];
  readonly empty: Record<string, number>;
}

/** What the paths of this machine are to be in the guest; those that are not there are left for the target to make. */
async function contentsOf(paths: readonly string[]): Promise<Contents> {
  const contents: Contents = { files: {}, folders: [], empty: {} };
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    contents.folders.push(stat.isDirectory() ? path : dirname(path));
    if (stat.isDirectory()) continue;
    if (stat.size > HOLE_BYTES && stat.blocks * 512 <= HOLE_BYTES) contents.empty[below(path)] = stat.size;
    else if (stat.isFile() && stat.size <= MOST_BYTES) contents.files[below(path)] = await readFile(path);
    else throw tooLarge(path, stat.isFile() ? stat.size : null);
  }
  return contents;
}

/** The modules in the folder and below it, by their paths in the guest. */
async function modulesOf(folder: string): Promise<Record<string, Uint8Array>> {
  const modules: Record<string, Uint8Array> = {};
  let bytes = 0;
  for await (const path of modulesBelow(folder)) {
    bytes += statSync(path).size;
    if (bytes > MOST_BYTES) throw tooMany(folder);
    modules[below(path)] = await readFile(path);
  }
  return modules;
}

function tooMany(folder: string): UblkError {
  return new UblkError(`the modules in ${folder} are more than the ${formatSize(MOST_BYTES)} that the lab is given`, {
    code: 'E2BIG',
    kind: 'usage',
    hint: 'put the target and what it imports into a folder of its own',
  });
}

function tooLarge(path: string, bytes: number | null): UblkError {
  const why =
    bytes === null ? 'it is not a file' : `it has ${formatSize(bytes)}, and the limit is ${formatSize(MOST_BYTES)}`;
  return new UblkError(`the lab cannot be given ${path}: ${why}`, {
    code: 'E2BIG',
    kind: 'usage',
    hint: 'give the check a smaller file, or an empty one: `truncate -s 256M FILE`',
  });
}
