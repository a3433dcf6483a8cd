/** How a target's file is found, trusted and loaded. Needs a build: the file imports ublkts/target. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { UblkError } from '../../src/errors.ts';
import { findTarget, targetReference } from '../../src/targets/find.ts';
import { ROOT } from '../cli/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-load-'));
after(() => rmSync(folder, { recursive: true }));

const GOOD =
  "import { defineTarget } from 'ublkts/target';\nexport default defineTarget({ summary: 'good', open: () => ({ size: 512, read() {} }) });\n";

describe('a target is named', () => {
  test('by a word, which is a built-in one', async () => {
    assert.equal(await targetReference('null'), 'null');
    await assert.rejects(targetReference('nul'), /there is no target named 'nul'/);
  });

  test('by a path, which has a slash or the ending of a module, and is recorded whole', async () => {
    assert.equal(await targetReference('./ram'), join(process.cwd(), 'ram'));
    assert.equal(await targetReference('ram.mts'), join(process.cwd(), 'ram.mts'));
  });

  test('by a package that is installed where the command is typed', async () => {
    const home = join(folder, 'home');
    const installed = join(home, 'node_modules', 'some-disk');
    mkdirSync(installed, { recursive: true });
    writeFileSync(
      join(installed, 'package.json'),
      '{ "type": "module", "exports": { ".": { "import": "./disk.js" } } }',
    );
    writeFileSync(join(installed, 'disk.js'), GOOD);
    const before = process.cwd();
    process.chdir(home);
    try {
      assert.equal(await targetReference('some-disk'), join(installed, 'disk.js'));
    } finally {
      process.chdir(before);
    }
  });
});

describe('a file', () => {
  test('in TypeScript is loaded as it is written, wherever it lies', async () => {
    const target = await findTarget(join(ROOT, 'examples/ram.ts'));
    assert.deepEqual(target.options, { size: 'how large the disk is (size; default 1G)' });
    assert.match(target.oneThread?.because ?? '', /handlers share variables/);
  });

  for (const [name, source, message] of [
    ['syntax.ts', 'const x = ;\n', /cannot load target .*: SyntaxError: .* \(syntax\.ts:1/],
    ['throws.ts', "\nthrow new Error('not today');\n", /: not today \(throws\.ts:2:7\)/],
    [
      'caused.ts',
      "throw new Error('no disk', { cause: new AggregateError([new Error('refused')]) });\n",
      /: no disk: refused \(caused\.ts:1:7\)/,
    ],
    ['enum.ts', 'enum X { A }\n', /enum is not supported .*\(enum\.ts:1/],
    ['syntax.mjs', '\nconst x = ;\n', /cannot load target .*: SyntaxError: Unexpected token ';' \(syntax\.mjs:2\)/],
    ['imports.mjs', "import './syntax.mjs';\n", /cannot load target .*: SyntaxError: .* \(syntax\.mjs:2\)/],
    [
      'decorated.ts',
      'const d = (): void => {};\n@d class X {}\n',
      /cannot load target .*: SyntaxError: Invalid or unex/,
    ],
    ['data.mjs', "import data from './data.json' with { type: 'json' };\nconst x = ;\n", /\(data\.mjs:2\)/],
    ['plain.mjs', 'export default {};\n', /its default export was not made by defineTarget/],
    ['half.ts', GOOD.replace("summary: 'good', ", ''), /is not complete: `summary` is not a text/],
  ] as const) {
    test(`with a mistake is refused with its line: ${name}`, async () => {
      const file = join(folder, name);
      writeFileSync(file, source);
      writeFileSync(join(folder, 'data.json'), '{"a":1}');
      await assert.rejects(findTarget(file), message);
    });
  }

  test('with a decorator is told that it cannot stay, and no other one is', async () => {
    for (const [name, source, hint] of [
      ['decorates.ts', 'const d = (): void => {};\n@d class X {}\n', /a decorator cannot stay/],
      ['open.ts', "const text = 'x\n", /^$/],
      ['open.mjs', "const text = 'x\n", /^$/],
    ] as const) {
      const file = join(folder, name);
      writeFileSync(file, source);
      await assert.rejects(findTarget(file), (error) => error instanceof UblkError && hint.test(error.hint ?? ''));
    }
  });

  test('that imports a type as a value is told how to', async () => {
    const file = join(folder, 'imports-type.ts');
    writeFileSync(file, GOOD.replace('{ defineTarget }', '{ defineTarget, Handlers }'));
    const hint = 'it has no such name; if Handlers is a type, write `import { type Handlers }`';
    await assert.rejects(findTarget(file), { kind: 'usage', hint });
  });

  test('that imports a file without its ending, or the whole package, is told what to write', async () => {
    writeFileSync(join(folder, 'blocks.ts'), 'export const blocks = 8;\n');
    const file = join(folder, 'imports.ts');
    const ending = /^there is blocks\.ts: an import has the ending/;
    for (const [from, hint] of [
      ['./blocks', ending],
      ['./blocks.js', ending],
      ['./nothing', /^$/],
      ['ublkts', /^a target imports from 'ublkts\/target'/],
    ] as const) {
      writeFileSync(file, `import { defineTarget } from '${from}';\n`);
      const isTold = (error: unknown): boolean => error instanceof UblkError && hint.test(error.hint ?? '');
      await assert.rejects(findTarget(file), isTold, from);
    }
  });

  test('of a compiler that makes CommonJS of it is loaded, too', async () => {
    const file = join(folder, 'compiled.cjs');
    const made = "defineTarget({ summary: 'compiled', open: () => ({ size: 512, read() {} }) })";
    const marked = "Object.defineProperty(exports, '__esModule', { value: true });\n";
    writeFileSync(file, `${marked}const { defineTarget } = require('ublkts/target');\nexports.default = ${made};\n`);
    assert.equal((await findTarget(file)).summary, 'compiled');
  });

  test('that is a module in a package of CommonJS is told which ending makes it one', async () => {
    const project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "type": "commonjs" }');
    for (const [name, hint] of [
      ['disk.ts', /give it the ending \.mts, or write "type": "module" in .*project\/package\.json$/],
      ['export.js', /give it the ending \.mjs, or write/],
      ['disk.cts', /give it the ending \.mts$/],
    ] as const) {
      writeFileSync(join(project, name), name === 'export.js' ? 'export default {};\n' : GOOD);
      const isTold = (error: unknown): boolean => error instanceof UblkError && hint.test(error.hint ?? '');
      await assert.rejects(findTarget(join(project, name)), isTold);
    }
    writeFileSync(join(project, 'disk.mts'), GOOD);
    assert.equal((await findTarget(join(project, 'disk.mts'))).summary, 'good');
  });

  test('that waits at its top level is given up after a minute', async (t) => {
    const file = join(folder, 'waits.ts');
    writeFileSync(file, `await new Promise(() => {});\n${GOOD}`);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const loading = findTarget(file);
    t.mock.timers.tick(60_000);
    await assert.rejects(loading, { code: 'TIMEOUT', message: /waits\.ts has not been loaded within 60 s/ });
  });

  test('that has changed since it was loaded is loaded anew, and another one is not', async () => {
    const file = join(folder, 'changes.ts');
    const summaryOf = async (): Promise<string> => (await findTarget(file)).summary;
    for (const [summary, loaded] of [
      ['good', 'good'],
      ['better', 'better'],
      ['best', 'best'],
    ] as const) {
      writeFileSync(file, `globalThis.loads = (globalThis.loads ?? 0) + 1;\n${GOOD.replace('good', summary)}`);
      assert.equal(await summaryOf(), loaded);
      assert.equal(await summaryOf(), loaded);
    }
    assert.equal(Reflect.get(globalThis, 'loads'), 3);
  });

  test('may be loaded while others are, and warnings are shown as before', async () => {
    const shown = Reflect.get(process, 'emitWarning') as unknown;
    const files = ['a', 'b', 'c'].map((name) => join(folder, `together-${name}.ts`));
    for (const file of files) writeFileSync(file, GOOD);
    await Promise.all(files.map((file) => findTarget(file)));
    assert.equal(Reflect.get(process, 'emitWarning'), shown);
  });

  test('that is not there is refused', async () => {
    await assert.rejects(findTarget(join(folder, 'none.ts')), { code: 'ENOENT' });
  });

  test('that is a folder or a pipe is refused', async () => {
    mkdirSync(join(folder, 'folder.ts'));
    execFileSync('mkfifo', [join(folder, 'pipe.ts')]);
    await assert.rejects(findTarget(join(folder, 'folder.ts')), {
      message: /folder\.ts is not a target: it is a folder$/,
    });
    await assert.rejects(findTarget(join(folder, 'pipe.ts')), {
      message: /pipe\.ts is not a target: it is no regular file$/,
    });
  });

  test('in TypeScript that is installed is told to be compiled', async () => {
    mkdirSync(join(folder, 'node_modules', 'disk'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', 'disk', 'disk.ts'), GOOD);
    await assert.rejects(findTarget(join(folder, 'node_modules', 'disk', 'disk.ts')), { hint: /compile the file/ });
  });

  const asRoot = process.geteuid?.() === 0 ? false : 'only root is careful';

  test('that others may write, or a module of it, is not run by root', { skip: asRoot }, async () => {
    writeFileSync(join(folder, 'part.ts'), 'export const part = 1;\n');
    writeFileSync(join(folder, 'whole.ts'), `import './part.ts';\n${GOOD}`);
    assert.equal((await findTarget(join(folder, 'whole.ts'))).summary, 'good');
    chmodSync(join(folder, 'part.ts'), 0o666);
    writeFileSync(join(folder, 'again.ts'), `import './part.ts?again';\n${GOOD}`);
    await assert.rejects(findTarget(join(folder, 'again.ts')), {
      message: /root does not run target .*part\.ts: it can be written by everyone/,
      hint: /`chmod go-w .*part\.ts`/,
    });
  });

  test('that belongs to a user is not run by root, also when that user has typed sudo', { skip: asRoot }, async () => {
    const file = join(folder, 'users.ts');
    writeFileSync(file, GOOD);
    chownSync(file, 1000, 1000);
    const before = process.env['SUDO_UID'];
    process.env['SUDO_UID'] = '1000';
    try {
      await assert.rejects(findTarget(file), {
        message: /root does not run target .*users\.ts: it belongs to user 1000/,
        hint: /`chown root .*users\.ts`/,
      });
    } finally {
      if (before === undefined) delete process.env['SUDO_UID'];
      else process.env['SUDO_UID'] = before;
    }
  });
});
