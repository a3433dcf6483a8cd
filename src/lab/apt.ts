import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { labError } from './errors.ts';
import type { TaskOptions } from './progress.ts';
import { recipe } from './recipe.ts';
import { runTool } from './tool.ts';

/** Debian's archive for the guest's release, read through the mirror that this machine uses. */
export interface Archive {
  /** The suite and its backports, as lines of a sources.list. */
  readonly sources: readonly string[];
  /** Where `download` leaves the .deb files. */
  readonly debs: string;
  packageNames(): Promise<string[]>;
  /** Downloads packages with everything that they need on an empty system. Packages that are there already are not downloaded. */
  download(packages: readonly string[]): Promise<void>;
  /** Removes the .deb files that the archive has replaced since. */
  forgetOldDebs(): Promise<void>;
}

/**
 * Opens the archive with an apt configuration of its own below `directory`, never touching the machine's: own lists,
 * own downloads (kept, and continued after an interruption), and an empty package database, since what is installed on
 * this machine says nothing about the guest. The machine's proxy and transport settings still apply.
 */
export async function openArchive(directory: string, options: TaskOptions): Promise<Archive> {
  const debs = path.join(directory, 'archives');
  const configFile = path.join(directory, 'apt.conf');
  await mkdir(path.join(directory, 'lists', 'partial'), { recursive: true });
  await mkdir(path.join(debs, 'partial'), { recursive: true });
  await writeFile(configFile, aptConfig(directory));

  const apt = (tool: string, ...args: string[]) =>
    runTool(tool, args, {
      env: { APT_CONFIG: configFile },
      signal: options.signal,
      debianPackage: 'apt',
      onLine: (line) => {
        const percent = downloadProgress(line);
        if (percent !== undefined) options.onProgress?.(`downloading packages: ${percent} %`);
      },
    });
  const sources = await firstWorkingMirror(apt, path.join(directory, 'sources.list'));

  return {
    sources,
    debs,
    packageNames: async () => (await apt('apt-cache', 'pkgnames', 'linux-')).split('\n'),
    download: async (packages) => {
      const install = ['install', '--yes', '--no-install-recommends', '--download-only', '-oAPT::Status-Fd=3'];
      await apt('apt-get', ...install, '?essential', 'apt', ...packages);
    },
    forgetOldDebs: async () => void (await apt('apt-get', 'autoclean')),
  };
}

/** The percentage in a line of apt's status channel (`dlstatus:1:20.4762:Retrieving file 1 of 12`). */
export function downloadProgress(line: string): number | undefined {
  const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
  return percent === undefined ? undefined : Math.floor(Number(percent));
}

/** The lines of a sources.list for the guest's suites on one mirror. */
export function sourcesFor(mirror: string, keyring: string | undefined): string[] {
  const signedBy = keyring === undefined ? '' : `[signed-by=${keyring}] `;
  return [recipe.suite, recipe.backports].map((suite) => `deb ${signedBy}${mirror} ${suite} main`);
}

function aptConfig(directory: string): string {
  return `${[
    `Dir::State::Lists "${directory}/lists";`,
    'Dir::State::status "/dev/null";',
    `Dir::Cache "${directory}";`,
    `Dir::Cache::archives "${directory}/archives";`,
    `Dir::Etc::SourceList "${directory}/sources.list";`,
    'Dir::Etc::SourceParts "/dev/null";',
    'Dir::Etc::Preferences "/dev/null";',
    'Dir::Etc::PreferencesParts "/dev/null";',
    // apt's own user for downloads could not write below a home directory.
    'APT::Sandbox::User "root";',
    'APT::Update::Error-Mode "any";',
  ].join('\n')}\n`;
}

type Apt = (tool: string, ...args: string[]) => Promise<string>;

async function firstWorkingMirror(apt: Apt, sourcesList: string): Promise<string[]> {
  const keyring = await debianKeyring();
  const mirrors = await candidateMirrors();
  const failures: unknown[] = [];
  for (const mirror of mirrors) {
    const sources = sourcesFor(mirror, keyring);
    await writeFile(sourcesList, `${sources.join('\n')}\n`);
    try {
      await apt('apt-get', 'update');
      return sources;
    } catch (error) {
      failures.push(error);
    }
  }
  const tried = mirrors.length === 0 ? 'apt has no package source here' : `tried ${mirrors.join(', ')}`;
  throw labError(`no mirror of this machine offers Debian ${recipe.suite} and ${recipe.backports} (${tried})`, {
    hint: 'name a Debian mirror in UBLKTS_LAB_MIRROR, as in a sources.list: UBLKTS_LAB_MIRROR=http://HOST/debian',
    cause: new AggregateError(failures),
  });
}

/** The mirrors that the machine's own apt reads, in its order. */
async function candidateMirrors(): Promise<string[]> {
  const chosen = process.env['UBLKTS_LAB_MIRROR'];
  if (chosen) return [chosen];
  const sites = await runTool('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages'], {
    debianPackage: 'apt',
  });
  return [...new Set(sites.split('\n').filter(Boolean))];
}

async function debianKeyring(): Promise<string | undefined> {
  for (const name of ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp']) {
    const file = path.join('/usr/share/keyrings', name);
    try {
      await access(file);
      return file;
    } catch {
      // The next name is tried. Without any keyring, apt's own trusted keys decide.
    }
  }
  return undefined;
}
