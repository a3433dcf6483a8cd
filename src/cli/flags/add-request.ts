/** Turns the flags of `add` and `recover` into the options of the library. */
import { resolve } from 'node:path';
import type { InferredFlags } from '@oclif/core/interfaces';
import { ADD_DEFAULTS, type AddOptions, type IntegrityOptions } from '../../spec/options.ts';
import { usageError } from '../../errors.ts';
import { joinWords } from '../../text/shell-words.ts';
import type { createFlags } from './create.ts';
import { chosenFeatures } from './features.ts';
import { targetOptionsOf } from './target-flags.ts';
import { parseTargetOptions } from './target-options.ts';

export interface CreateFlags extends InferredFlags<typeof createFlags> {
  readonly type?: string | undefined;
  readonly number?: number | undefined;
}

/**
 * `words`: the arguments that are neither flags nor values of flags. `argv`: everything that follows the name of the
 * command.
 */
export function addRequest(flags: CreateFlags, words: readonly string[], argv: readonly string[] = []): AddOptions {
  const { target, ...named } = namedOptions(flags, words, argv);
  if (target === undefined)
    throw usageError('no target is named', 'name it with -t, for example -t null or -t loop FILE');
  return { ...ADD_DEFAULTS, ...named, target };
}

/**
 * The options that were named, and no others. `recover` takes the rest from its record of the device; `target`: the one that
 * is meant when none is named.
 */
export function namedOptions(
  flags: CreateFlags,
  words: readonly string[],
  argv: readonly string[] = [],
  target = flags.type,
): Partial<AddOptions> {
  const features = chosenFeatures(flags);
  const program = target === 'nbd' ? programIn(argv) : [];
  const files = words.slice(0, words.length - program.length);
  const uris = files.filter(isUri);
  const paths = files.filter((file) => !isUri(file));
  const targetOptions = namedOnce([
    parseTargetOptions(flags.target_option ?? []),
    targetOptionsOf(flags),
    namedUri(uris),
    program.length > 0 ? { program: joinWords(program) } : {},
  ]);
  const integrity = namedIntegrity(flags);
  if (flags.rdonly_shmem_buf && flags.htlb === undefined) {
    throw usageError(
      '--rdonly_shmem_buf needs a buffer to register, and no buffer is named',
      'name one with --htlb FILE',
    );
  }
  return {
    ...(flags.type !== undefined && { target: flags.type }),
    ...(paths.length > 0 && { files: paths.map((file) => resolve(file)) }),
    ...(Object.keys(targetOptions).length > 0 && { targetOptions }),
    ...(flags.share && { share: true }),
    ...(flags.number !== undefined && { id: flags.number }),
    ...(flags.queues !== undefined && { queues: flags.queues }),
    ...(flags.depth !== undefined && { depth: flags.depth }),
    ...(features.length > 0 && { features }),
    ...(flags.data_path !== undefined && { dataPath: flags.data_path }),
    ...(flags.nthreads !== undefined && { threads: flags.nthreads }),
    ...(flags.cpus !== undefined && { cpus: flags.cpus }),
    ...(flags.per_io_tasks && { perIoTasks: true }),
    ...(flags.auto_zc_fallback && { autoZcFallback: true }),
    ...(flags.rotate_auto_buf && { rotateAutoBuf: true }),
    ...(flags.no_ublk_fixed_fd && { noUblkFixedFd: true }),
    ...(flags.io_desc_size !== undefined && { ioDescSize: flags.io_desc_size }),
    ...(flags.max_io_buf_bytes !== undefined && { maxIoBufBytes: flags.max_io_buf_bytes }),
    ...(integrity !== undefined && { integrity }),
    ...(flags.htlb !== undefined && {
      buffers: flags.htlb.map((path) => ({ path: resolve(path), readOnly: flags.rdonly_shmem_buf })),
    }),
    ...(flags.server !== undefined && { server: flags.server }),
    ...(flags.mlock && { mlock: true }),
    ...(flags.quiet && { quiet: true }),
    ...(flags.debug_mask !== undefined && { debugMask: flags.debug_mask }),
  };
}

/** The same option can be a flag, a -o and a word. Where it is more than one of them, none is passed over. */
function namedOnce(sources: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of sources.flatMap((source) => Object.entries(source))) {
    if (all.has(name)) throw usageError(`the option ${name} of the target is named in two ways`, 'name it in one way');
    all.set(name, value);
  }
  return Object.fromEntries(all);
}

/** The words behind `--`: for the target nbd they are a program, unless they begin with a URI. */
function programIn(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--');
  const words = at < 0 ? [] : argv.slice(at + 1);
  return isUri(words[0] ?? '') ? [] : words;
}

/** Whether the word is a URI, such as `nbd://host/export`, which a target takes in place of a file. */
function isUri(word: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(word);
}

function namedUri([uri, ...others]: readonly string[]): Record<string, string> {
  if (uri === undefined) return {};
  if (others.length > 0) throw usageError('a device has one URI, and several are named', 'name one of them');
  return { uri };
}

/** Present as soon as any of its flags is. Whether they make sense together is checked by spec/checks/integrity.ts. */
function namedIntegrity(flags: CreateFlags): IntegrityOptions | undefined {
  const integrity = {
    metadataSize: flags.metadata_size ?? 0,
    capable: flags.integrity_capable ?? false,
    reftag: flags.integrity_reftag ?? false,
    piOffset: flags.pi_offset ?? 0,
    csumType: flags.csum_type ?? ('none' as const),
    tagSize: flags.tag_size ?? 0,
  };
  const untouched = Object.values(integrity).every((value) => value === 0 || value === false || value === 'none');
  return untouched ? undefined : integrity;
}
