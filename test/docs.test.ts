/** What the pages name exists: files of the project, links between pages, the sections that links point at, and examples. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PAGES = ['README.md', 'CHANGELOG.md', ...markdownBelow('docs')];

/** `src/spec/options.ts` or `tools/harness/` in running text. `tools/testing/` is the kernel's. */
const NAMED_FILE = /(?<![\w./-])(?:src|tools|test|docs|examples|bin)\/(?!testing\/)[\w./-]*[\w/]/g;
const LINK = /\]\(([^)\s]+)\)/g;

describe('documentation', () => {
  test('the files and folders of the project that pages name exist', () => {
    // A changelog may name what has gone since.
    const pages = PAGES.filter((page) => page !== 'CHANGELOG.md');
    const missing = pages.flatMap((page) =>
      [...read(page).matchAll(NAMED_FILE)]
        // A pattern such as test/kernel/*.test.ts ends at its star: the folder has to exist.
        .map(([path]) => path)
        .filter((path) => !existsSync(join(ROOT, path)))
        .map((path) => `${page} names ${path}`),
    );
    assert.deepEqual(missing, []);
  });

  test('links between pages lead to a page and to one of its sections', () => {
    const broken = PAGES.flatMap((page) =>
      linksOf(page)
        .filter((link) => !leadsSomewhere(page, link))
        .map((link) => `${page} links to ${link}`),
    );
    assert.deepEqual(broken, []);
  });

  test('comments and messages name pages that exist', () => {
    const sources = ['src', 'tools', 'test', 'examples'].flatMap((folder) => filesBelow(folder, /\.(?:ts|tsx|mjs)$/));
    const missing = sources.flatMap((source) =>
      [...read(source).matchAll(/(?<![\w./-])docs\/[\w-]+\.md|\bdocs\/decisions\/\d{4}/g)]
        .map(([name]) => name)
        .filter((name) => !existsSync(join(ROOT, name)) && !isDecision(name))
        .map((name) => `${source} names ${name}`),
    );
    assert.deepEqual(missing, []);
  });

  test('docs/architecture.md names every folder and file of src/', () => {
    const page = read('docs/architecture.md');
    const unnamed = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .filter((name) => !page.includes(`\`${name}\``));
    assert.deepEqual(unnamed, []);
  });

  test('docs/monitor.md names every key of list --json and every family of metrics', () => {
    const keys = [...read('src/device/report/report.ts').matchAll(/^ {2}(\w+): /gm)];
    const families = filesBelow('src/watch/output', /\.ts$/).flatMap((file) => [
      ...read(file).matchAll(/'(ublk_\w+)'/g),
    ]);
    assert.ok(keys.length > 30 && families.length > 20);
    const named = new Set([...read('docs/monitor.md').matchAll(/`[^`]+`/g)].flatMap(([code]) => code.split(/\W+/)));
    assert.deepEqual(
      [...keys, ...families].map(([, name = '']) => name).filter((name) => !named.has(name)),
      [],
    );
  });

  test('every page and every example is named in an index', () => {
    const indexes = ['README.md', 'docs/README.md', 'docs/decisions/README.md'];
    const named = new Set(indexes.flatMap((page) => linksOf(page).map((link) => resolve(page, link))));
    const pages = [...PAGES, ...filesBelow('examples', /\.ts$/)];
    assert.deepEqual(
      pages.filter((page) => page !== 'README.md' && !named.has(page)),
      [],
    );
  });
});

function leadsSomewhere(page: string, link: string): boolean {
  const [, section] = link.split('#');
  const target = resolve(page, link);
  if (!existsSync(join(ROOT, target))) return false;
  return section === undefined || sectionsOf(target).includes(section);
}

/** Those that stay inside of the project. */
function linksOf(page: string): string[] {
  return [...read(page).matchAll(LINK)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
}

function resolve(page: string, link: string): string {
  const [path = ''] = link.split('#');
  return path === '' ? page : normalize(join(dirname(page), path));
}

/** The anchors that GitHub makes of headings. */
function sectionsOf(page: string): string[] {
  const headings = read(page).matchAll(/^#{1,6} (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

function isDecision(name: string): boolean {
  const number = /\/(\d{4})$/.exec(name)?.[1];
  return number !== undefined && PAGES.some((page) => page.startsWith(`docs/decisions/${number}-`));
}

function markdownBelow(folder: string): string[] {
  return filesBelow(folder, /\.md$/);
}

function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
