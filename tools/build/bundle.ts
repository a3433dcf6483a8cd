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
    test: /\/src\/(?:errors|kinds|text\/(?:shown|suggest)|cache-home|package-root|native\/one-thread|cli\/argv\/(?:global-flags|fold|normalise)|cli\/dispatch\/manifest|cli\/failures\/(?:cut-short|exit-codes)|cli\/output\/(?:console|unwritable))\.ts$/,
  },
  { name: 'styles', test: /\/src\/cli\/output\/styles\.ts$|\/node_modules\/chalk\// },
  { name: 'own-target', test: /\/src\/(?:targets\/(?:handlers|load)\/|native\/compiled-code\.ts)/ },
  // oclif refers to it for warnings and for help.
  {
    name: 'ux',
    test: /\/node_modules\/(?:ansi-|cli-spinners|color-|ejs|emoji-regex|escape-|indent-string|wrap-ansi|@oclif\/core\/lib\/ux\/(?:action|colorize))/,
  },
];

/**
 * Of the commands, which are CommonJS: a file that is loaded takes a million instructions, so what is used together is one file.
 * Between ES modules, these files would import each other before they are evaluated.
 */
const CHUNKS_OF_COMMANDS = [
  // Words and flags.
  {
    name: 'words',
    test: /\/src\/cli\/(?:failures\/(?:hints|report-failure)|flags\/(?:add-request|create|features|flag-names|format|target-flags|target-options)|output\/(?:kublk-text|table)|running\/(?:foreground|interruption|progress|target-code|waiting))\.ts$/,
  },
  // What a device can be.
  {
    name: 'spec',
    test: /\/src\/(?:clock|sizes|spec\/.*|text\/escape|native\/(?:shortage|uapi\/(?:errno|ublk-device|ublk-features)))\.ts$/,
  },
  // The driver and the records of devices.
  {
    name: 'driver',
    test: /\/src\/(?:block\/number|control\/(?!hand\/|apart)[^/]+|device\/(?:is-gone|report\/[^/]+)|native\/(?:cpu-mask|libc\/(?:calls|ffi|ffi-rs|file-lock|socket-address|unix-socket)|kernel-files|memory|ring\/(?:completion-queue|setup|setup-failure|submission-entry|submission-queue)|uapi\/[^/]+)|record\/[^/]+)\.ts$/,
  },
  // What makes a device.
  {
    name: 'make',
    test: /\/src\/(?:device\/(?:add\/[^/]+|cpu-list|new-record|places|require-[^/]+)|protocol\/[^/]+|server\/(?:mount-namespace|descriptor-budget|v8-flags|shared-memory\/(?:refusals|shared-file))|stats\/layout|targets\/(?:backing-files|chosen-size|claims|find|holders|integrity|log|null\/[^/]+|registry|switch|target))\.ts$/,
  },
  // A command loads the code of the target that it makes.
  { name: 'nbd', test: /\/src\/targets\/nbd\// },
  { name: 'files', test: /\/src\/targets\/(?:loop|stripe|ram|fault-inject|file-queue|direct-io|holes|room)/ },
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
      codeSplitting: whole ? false : { groups: groupsOf(format), includeDependenciesRecursively: false },
      entryFileNames: `[name].${EXTENSIONS[format]}`,
      chunkFileNames: `chunks/[name].${EXTENSIONS[format]}`,
    },
  });
}

function groupsOf(format: Pass['format']) {
  return format === 'cjs' ? [...CHUNKS, ...CHUNKS_OF_COMMANDS] : CHUNKS;
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
