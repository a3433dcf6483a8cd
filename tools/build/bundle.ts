/** Bundles one pass with Rolldown, which reads TypeScript and leaves `const` as it is (docs/decisions/0014). */
import { build, type Plugin } from 'rolldown';
import type { Pass } from './passes.ts';

/**
 * These stay packages. Two have binaries, and the others belong to the monitor, the lab or `bench`: a command that needs
 * none of them does not load them.
 */
const PACKAGES = /^(?:chalk|execa|ffi-rs|ink|koffi|react)(?:\/|$)/;

export async function bundle({ entries, whole }: Pass): Promise<void> {
  await build({
    input: { ...entries },
    platform: 'node',
    external: PACKAGES,
    plugins: [sourcesOfOursOnly],
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
      format: 'es',
      sourcemap: true,
      codeSplitting: !whole,
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name].js',
    },
  });
}

/** A source map carries its source, so that it is worth something where src/ is not. That of packages is left out. */
const sourcesOfOursOnly: Plugin = {
  name: 'sources-of-ours-only',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'asset' || !file.fileName.endsWith('.map')) continue;
      const map: { sources: string[]; sourcesContent: (string | null)[] } = JSON.parse(file.source.toString());
      map.sourcesContent = map.sourcesContent.map((text, index) =>
        map.sources[index]?.includes('node_modules/') ? null : text,
      );
      file.source = JSON.stringify(map);
    }
  },
};
