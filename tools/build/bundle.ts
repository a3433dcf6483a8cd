/** Bundles one pass with Rolldown, which reads TypeScript and leaves `const` as it is (docs/decisions/0014). */
import { build, type Plugin } from 'rolldown';
import { lateLoading } from './late-loading.ts';
import { lateRequires } from './late-requires.ts';
import type { Pass } from './passes.ts';

/**
 * These stay packages. Two have binaries, and the others belong to the monitor, the lab or `bench`: a command that needs
 * none of them does not load them.
 */
const PACKAGES = /^(?:execa|ffi-rs|ink|koffi|react)(?:\/|$)/;

/**
 * What every command needs is one file. What only a table, an error or a target of somebody's own needs is not in a file
 * with anything else.
 */
const CHUNKS = [
  {
    name: 'start',
    test: /\/src\/(?:errors|cache-home|package-root|cli\/argv\/global-flags|cli\/failures\/exit-codes)\.ts$/,
  },
  { name: 'styles', test: /\/src\/cli\/output\/styles\.ts$|\/node_modules\/chalk\// },
  { name: 'own-target', test: /\/src\/(?:targets\/(?:handlers|load)\/|native\/compiled-code\.ts)/ },
  // oclif refers to it for warnings and for help.
  {
    name: 'ux',
    test: /\/node_modules\/(?:ansi-|cli-spinners|color-|ejs|emoji-regex|escape-|indent-string|wrap-ansi|@oclif\/core\/lib\/ux\/(?:action|colorize))/,
  },
];

/** The package says that .js is an ES module. */
const EXTENSIONS = { cjs: 'cjs', es: 'js' } as const;

export async function bundle({ entries, whole, format }: Pass): Promise<void> {
  await build({
    input: { ...entries },
    platform: 'node',
    external: PACKAGES,
    // What `includeDependenciesRecursively` asks for.
    ...(whole ? {} : { preserveEntrySignatures: 'allow-extension' as const }),
    plugins: [lateRequires, lateLoading, sourcesOfOursOnly],
    tsconfig: false,
    transform: {
      target: 'node22',
      jsx: 'react-jsx',
      // A field's first value is the one that the constructor gives it (docs/decisions/0011).
      assumptions: { setPublicClassFields: true },
      typescript: { removeClassFieldsWithoutInitializer: true },
    },
    output: {
      dir: 'dist',
      format,
      exports: 'named',
      sourcemap: true,
      codeSplitting: whole ? false : { groups: CHUNKS, includeDependenciesRecursively: false },
      entryFileNames: `[name].${EXTENSIONS[format]}`,
      chunkFileNames: `chunks/[name].${EXTENSIONS[format]}`,
    },
  });
}

/** A source map carries its source, so that it is worth something where src/ is not. That of packages is left out. */
const sourcesOfOursOnly: Plugin = {
  name: 'sources-of-ours-only',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'asset' || !file.fileName.endsWith('.map')) continue;
      const map: { sources: string[]; sourcesContent?: (string | null)[] } = JSON.parse(file.source.toString());
      // A chunk of nothing but oclif has a map without sources.
      if (map.sourcesContent === undefined) continue;
      map.sourcesContent = map.sourcesContent.map((text, index) =>
        map.sources[index]?.includes('node_modules/') ? null : text,
      );
      file.source = JSON.stringify(map);
    }
  },
};
