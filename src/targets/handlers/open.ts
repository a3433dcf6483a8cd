/** Calls a target's `setup` and `open`; what they throw becomes the sentence that says why there can be no device. */
import { UblkError, usageError } from '../../errors.ts';
import { withinBound } from '../load/bound.ts';
import { describeThrown, readable } from '../load/thrown.ts';
import type { OpenRequest } from '../target.ts';
import type { Handlers, OpenContext, SetupContext, TargetDefinition } from './define.ts';
import { requireHandlers } from './handlers.ts';
import { serverLog } from '../log.ts';
import { parseOptions } from './options.ts';

export type Opening = Pick<OpenRequest, 'files' | 'options' | 'device' | 'recovering' | 'deviceBytes'>;

/**
 * `file`: the target's, for messages. Resolves to what `setup` has resolved to, which every thread can be sent. Rejects when
 * that takes too long.
 */
export async function setUp(definition: TargetDefinition, file: string, opening: Opening): Promise<unknown> {
  const context = contextOf(definition, opening);
  const shared = await asTargets(file, 'setup', async () => withinBound(settled(definition, context), 'setup', file));
  requireCloneable(shared, file);
  return shared;
}

async function settled(definition: TargetDefinition, context: SetupContext): Promise<unknown> {
  return definition.setup?.(context);
}

function requireCloneable(shared: unknown, file: string): void {
  try {
    structuredClone(shared);
  } catch (error) {
    throw usageError(
      `target ${file}: what \`setup\` returned cannot be sent to the threads: ${describeThrown(error, file)}`,
      'return plain data; a SharedArrayBuffer in it is shared',
    );
  }
}

/** The handlers of thread `thread` of `threads`, which have been checked. */
export async function openHandlers(
  definition: TargetDefinition,
  file: string,
  opening: Opening & Pick<OpenContext, 'shared' | 'thread' | 'threads'>,
): Promise<Handlers> {
  const { shared, thread, threads } = opening;
  const context: OpenContext = { ...contextOf(definition, opening), shared, thread, threads };
  // Code of the target runs in its getters, too.
  return asTargets(file, 'open', async () => requireHandlers(await definition.open(context), file));
}

function contextOf({ options = {} }: TargetDefinition, opening: Opening): SetupContext {
  const { files, device, recovering, deviceBytes } = opening;
  return { options: parseOptions(options, opening.options), files, device, recovering, deviceBytes, log: serverLog };
}

async function asTargets<Result>(file: string, name: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (thrown) {
    const error = readable(thrown);
    if (error instanceof UblkError) throw error;
    throw new UblkError(`target ${file} cannot ${name}: ${describeThrown(error, file)}`, {
      code: codeOf(error),
      command: name,
      kind: 'failed',
      cause: error,
    });
  }
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'BAD_TARGET';
}
