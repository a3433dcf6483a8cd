/** The package as npm lays it out in somebody's folder: the guest has no npm, and no network to install from. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Installs the package in `folder`, with the packages that it names and no others. Returns the path of its program. */
export function installIn(folder: string): string {
  const modules = path.join(folder, 'node_modules');
  const home = path.join(modules, 'ublkts');
  const { files, dependencies } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    files: readonly string[];
    dependencies: Readonly<Record<string, string>>;
  };
  mkdirSync(path.join(modules, '@oclif'), { recursive: true });
  mkdirSync(path.join(modules, '.bin'));
  for (const name of ['package.json', ...files.filter((file) => !file.startsWith('!'))]) {
    cpSync(path.join(ROOT, name), path.join(home, name), { recursive: true });
  }
  for (const name of Object.keys(dependencies)) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
  const program = path.join(modules, '.bin/ublkts');
  symlinkSync('../ublkts/bin/run.js', program);
  return program;
}

/** Writes the first example of docs/writing-a-target.md, which is the file that readers begin with, or that of a ring target. */
export function writeExampleOfDocumentation(file: string, define = 'defineTarget'): void {
  const page = readFileSync(`${ROOT}docs/writing-a-target.md`, 'utf8');
  const examples = [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, text = '']) => text);
  writeFileSync(file, examples.find((text) => text.includes(`export default ${define}(`)) ?? '', { mode: 0o644 });
}
