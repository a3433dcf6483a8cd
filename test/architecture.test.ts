/** The layers of docs/architecture.md: imports go down, never round, and each outside package has its one place. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

/** A folder of src/, or a file in it, and how high it stands. */
const RANKS: Readonly<Record<string, number>> = {
  errors: 0,
  'package-root': 0,
  'cache-home': 0,
  'temporary-home': 1,
  clock: 0,
  sizes: 1,
  kinds: 2,
  text: 1,
  native: 2,
  block: 3,
  control: 4,
  stats: 4,
  lab: 4,
  spec: 5,
  record: 6,
  program: 7,
  protocol: 7,
  targets: 8,
  queue: 9,
  server: 10,
  device: 11,
  client: 12,
  watch: 13,
  monitor: 14,
  cli: 15,
  commands: 16,
  index: 17,
  target: 17,
  'target-ring': 17,
  main: 18,
};
/** Outside packages, and the folders that may import them. */
const PLACES: readonly (readonly [packages: RegExp, folders: readonly string[]])[] = [
  [/^(?:ffi-rs|koffi)$/, ['native/libc']],
  [/^(?:ink|react|@inkjs\/|@pppp606\/)/, ['monitor']],
  [/^@oclif\//, ['cli', 'commands']],
];

/** `import 'x'`, `import ... from 'x'`, `export ... from 'x'`, `import('x')`. */
const SPECIFIER = /^\s*(?:import|(?:import|export)\s[^'"`;]*?\bfrom)\s*'([^']+)'|\bimport\(\s*'([^']+)'/gm;

interface Import {
  readonly from: string;
  /** A path below src/, or a package. */
  readonly to: string;
  readonly relative: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .sort();
const imports = files.flatMap(importsOf);

describe('the layers', () => {
  test('the scan sees static, dynamic and package imports', () => {
    const seen = new Set(imports.map(describeImport));
    assert.ok(seen.has('main.ts imports cli/output/colour.ts'));
    assert.ok(seen.has('main.ts imports cli/dispatch/dispatch.ts'));
    assert.ok(seen.has('cli/dispatch/oclif-config.ts imports @oclif/core/config'));
  });

  test('every folder has a rank', () => {
    assert.deepEqual(
      files.filter((file) => RANKS[layerOf(file)] === undefined),
      [],
    );
  });

  test('imports go down', () => {
    const wrong = imports.filter((edge) => edge.relative && !goesDown(layerOf(edge.from), layerOf(edge.to)));
    assert.deepEqual(wrong.map(describeImport), []);
  });

  test('imports never go round, type-only ones included', () => assert.deepEqual(findCycle(), []));

  test('watch knows no terminal: neither the monitor nor a package that draws on one', () => {
    const terminal = /^(?:ink|react|chalk|ansi-|cli-|string-width|get-east-asian-width|@inkjs\/|@xterm\/|@lydell\/)/;
    const wrong = imports.filter(
      ({ from, to }) => layerOf(from) === 'watch' && (terminal.test(to) || layerOf(to) === 'monitor'),
    );
    assert.deepEqual(wrong.map(describeImport), []);
  });

  test('each outside package is imported in its place only', () => {
    const wrong = imports.filter(({ from, to, relative }) => {
      const place = relative ? undefined : PLACES.find(([packages]) => packages.test(to));
      return place !== undefined && !place[1].some((folder) => from.startsWith(`${folder}/`));
    });
    assert.deepEqual(wrong.map(describeImport), []);
  });
});

test('the process is ended in bin/ only: an exit in the middle loses what is still in a pipe', () => {
  const exits = files.filter((file) => /\bprocess\.exit\(/.test(readFileSync(join(SRC, file), 'utf8')));
  assert.deepEqual(exits, []);
});

function layerOf(file: string): string {
  const [first = ''] = file.split('/');
  return first.replace(/\.tsx?$/, '');
}

function goesDown(from: string, to: string): boolean {
  return from === to || (RANKS[from] ?? 0) > (RANKS[to] ?? 0);
}

/** Static, dynamic and type imports; re-exports too. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8').replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  const specifiers = text.matchAll(SPECIFIER);
  return [...specifiers].map(([, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? '';
    const isRelative = specifier.startsWith('.');
    const to = isRelative ? relative(SRC, join(SRC, dirname(file), specifier)) : specifier;
    return { from: file, to, relative: isRelative };
  });
}

function findCycle(): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const edge of imports) {
      if (edge.from !== file || !edge.relative) continue;
      const cycle = visit(edge.to, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of files) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

function describeImport({ from, to }: Import): string {
  return `${from} imports ${to}`;
}
