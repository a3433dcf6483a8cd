/** What `npm pack` makes: what somebody who installs the package needs, and nothing else. Needs a build. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { ROOT } from './cli/run.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'ublkts-package-'));
after(() => rmSync(folder, { recursive: true }));

const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  }),
) as [{ readonly filename: string; readonly files: readonly { readonly path: string; readonly size: number }[] }];
const files = packed.files.map(({ path: name }) => name);
const installed = installedPackage();

describe('the package', () => {
  test('has the program, the library with its types, the man page, the completions and the documents', () => {
    const needed = [
      'bin/run.js',
      'dist/main.cjs',
      'dist/server/main.cjs',
      'dist/queue/main.cjs',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/target.js',
      'dist/target.d.ts',
      'dist/target-ring.js',
      'dist/target-ring.d.ts',
      'oclif.manifest.json',
      'docs/man/ublkts.1',
      'docs/completions/_ublkts',
      'docs/completions/ublkts.bash',
      'docs/completions/ublkts.fish',
      'docs/commands.md',
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
    ];
    assert.deepEqual(
      needed.filter((file) => !files.includes(file)),
      [],
    );
  });

  test('names the man page in a list: npm installs no other', () => {
    const { man } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as { man: unknown };
    assert.deepEqual(man, ['./docs/man/ublkts.1']);
  });

  test('has nothing of what only this project needs', () => {
    const known =
      /^(?:bin|dist|docs|examples)\/|^(?:README|CHANGELOG)\.md$|^LICENSE$|^package\.json$|^oclif\.manifest\.json$/;
    assert.deepEqual(
      files.filter((file) => !known.test(file) || file.endsWith('.cast')),
      [],
    );
  });

  test('has every file that its pages link to', () => {
    const pages = files.filter((file) => file.endsWith('.md'));
    const missing = pages.flatMap((page) =>
      linksOf(readFileSync(path.join(installed, page), 'utf8'))
        .map((link) => path.join(path.dirname(page), link))
        .filter((target) => !files.includes(target))
        .map((target) => `${page} links to ${target}`),
    );
    assert.deepEqual(missing, []);
  });

  test('has source maps that carry their source', () => {
    const maps = files.filter((file) => file.endsWith('.map'));
    assert.ok(maps.length > 0);
    for (const map of maps) {
      const { sources, sourcesContent }: { sources: string[]; sourcesContent: string[] } = JSON.parse(
        readFileSync(path.join(installed, map), 'utf8'),
      );
      assert.deepEqual(
        sources.filter((source, index) => /^(?:\.\.\/)+src\//.test(source) && !sourcesContent[index]),
        [],
        map,
      );
    }
  });
});

describe('installed elsewhere', () => {
  test('the program runs', () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
    assert.match(ublkts('--version'), new RegExp(`^ublkts/${version} `));
    assert.match(ublkts('help', 'add'), /--target/);
    const { devices }: { devices: unknown[] } = JSON.parse(ublkts('list', '--json'));
    assert.deepEqual(devices, []);
  });

  test('every piece of TypeScript in the pages is a whole file that the compiler takes', () => {
    const pages = files.filter((file) => file.endsWith('.md'));
    const pieces = pages.flatMap((page) => [
      ...readFileSync(path.join(installed, page), 'utf8').matchAll(/```ts\n([^]*?)```/g),
    ]);
    const names = pieces.map(([, source = ''], index) => {
      const name = `piece-${index}.mts`;
      writeFileSync(path.join(folder, name), source);
      return name;
    });
    assert.ok(names.length > 5);
    typeCheck(names);
  });

  test('a program in TypeScript can use the library', () => {
    const program = path.join(folder, 'program.ts');
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      program,
      "import { type DeviceReport, type Feature, listDevices, type StartedDevice, UblkError } from 'ublkts';\n" +
        "const needed: readonly Feature[] = ['SHMEM_ZC'];\n" +
        'export const notesOf = ({ notes }: StartedDevice) => [...notes, ...needed];\n' +
        'const devices: readonly DeviceReport[] = await listDevices();\n' +
        'console.log(devices.length, new UblkError("no", { code: "EIO" }).code);\n',
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    execFileSync(path.join(ROOT, 'node_modules/.bin/tsc'), [...options, program], { cwd: folder, stdio: 'inherit' });
    assert.equal(execFileSync(process.execPath, [program], { cwd: folder, encoding: 'utf8' }), '0 EIO\n');
  });
});

/** The paths of the links that stay inside of the package. */
function linksOf(page: string): string[] {
  const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link.split('#')[0] ?? '');
  return links.filter((link) => link !== '' && !/^[a-z]+:/.test(link));
}

describe("a target of one's own", () => {
  test('has its types from the package: the file of the documentation, options that are typed, and nothing loose', () => {
    const wrong = [
      ['options.size.length', 'Property .length. does not exist on type .number'],
      ['options.colour', 'Property .colour. does not exist'],
    ] as const;
    writeFileSync(path.join(folder, 'ram.ts'), exampleOfDocumentation());
    typeCheck(['ram.ts']);
    for (const [expression, message] of wrong) {
      const source = exampleOfDocumentation().replace('size: options.size,', `size: ${expression},`);
      writeFileSync(path.join(folder, 'wrong.ts'), source);
      assert.throws(() => typeCheck(['wrong.ts']), new RegExp(message));
    }
  });

  test('has types for a project as `tsc --init` makes it: options may be undefined, and every type has a name', () => {
    writeFileSync(
      path.join(folder, 'strict.ts'),
      "import { type AddRequest, type DeviceReport, type FailureDetails, type OpenServer, UblkError } from 'ublkts';\n" +
        "import { defineTarget, flag, integer } from 'ublkts/target';\n" +
        'export const stateOf = (device: DeviceReport) => device.server_state;\n' +
        'export const textOf = (error: UblkError) => error.text;\n' +
        'export const adds = (server: OpenServer) => server.add;\n' +
        'export const request: AddRequest = { target: "ram" };\n' +
        'export class Refused extends UblkError {\n' +
        '  constructor(details: FailureDetails) { super("no", { ...details, device: undefined }); }\n' +
        '}\n' +
        'export default defineTarget({\n' +
        "  summary: 'a disk of zeroes',\n" +
        "  options: { most: integer({ summary: 'at once', max: undefined }), trim: flag({ summary: 'discards' }) },\n" +
        '  open: ({ options: { most, trim } }) => ({\n' +
        '    size: 4096,\n' +
        '    concurrency: most,\n' +
        '    read: (buffer) => void buffer.fill(0),\n' +
        '    discard: trim ? () => {} : undefined,\n' +
        '  }),\n' +
        '});\n' +
        "export const bare = defineTarget({ summary: 'no options', open: ({ options }) => ({\n" +
        '  // @ts-expect-error An option that was not declared.\n' +
        '  size: options.size,\n' +
        '  read() {},\n' +
        '}) });\n',
    );
    typeCheck(['strict.ts'], ['--declaration', '--exactOptionalPropertyTypes', '--isolatedModules', '--types', '']);
  });

  test('is loaded and checked by the installed program', () => {
    assert.match(ublkts('target', 'check', './ram.ts', '-o', 'size=1M'), /^ok {3}speed /m);
  });

  test('reaches ublkts/target and ublkts/target/ring, and nothing else', () => {
    for (const [name, reachable] of [
      ['ublkts/target', true],
      ['ublkts/target/ring', true],
      ['ublkts/dist/target.js', false],
      ['ublkts/target/handlers/queue', false],
    ] as const) {
      const code = `import('${name}').then(() => console.log('there'), (error) => console.log(error.code))`;
      const said = execFileSync(process.execPath, ['-e', code], { cwd: folder, encoding: 'utf8' });
      assert.equal(said, reachable ? 'there\n' : 'ERR_PACKAGE_PATH_NOT_EXPORTED\n', name);
    }
  });
});

/** The first block of TypeScript in docs/writing-a-target.md. */
function exampleOfDocumentation(): string {
  const page = readFileSync(`${ROOT}docs/writing-a-target.md`, 'utf8');
  return /```ts\n([^]*?)```/.exec(page)?.[1] ?? assert.fail('the page has an example');
}

/** Throws with what the compiler has said. */
function typeCheck(names: readonly string[], more: readonly string[] = ['--types', 'node']): void {
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', ...more];
  try {
    execFileSync(path.join(ROOT, 'node_modules/.bin/tsc'), [...options, ...names], { cwd: folder, encoding: 'utf8' });
  } catch (error) {
    throw new Error((error as { stdout?: string }).stdout, { cause: error });
  }
}

/** As npm would lay it out, with the packages that it names and no others beside it. */
function installedPackage(): string {
  const modules = path.join(folder, 'node_modules');
  const directory = path.join(modules, 'ublkts');
  mkdirSync(path.join(modules, '@types'), { recursive: true });
  mkdirSync(path.join(modules, '@oclif'));
  mkdirSync(directory);
  execFileSync('tar', ['-xzf', path.join(folder, packed.filename), '--strip-components=1', '-C', directory]);
  const { dependencies } = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
  return directory;
}

function ublkts(...words: readonly string[]): string {
  const program = path.join(installed, 'bin/run.js');
  return execFileSync(process.execPath, [program, ...words], { cwd: folder, encoding: 'utf8' });
}
