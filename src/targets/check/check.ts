/** Checks a target of byte handlers without a kernel: drives its handlers against a model and says what is wrong. */
import { usageError } from '../../errors.ts';
import { option } from '../../spec/option-names.ts';
import { ADD_DEFAULTS } from '../../spec/options.ts';
import { targetReference } from '../find.ts';
import { openHandlers, setUp } from '../handlers/open.ts';
import { loadDefinition } from '../load/load.ts';
import { describeThrown } from '../load/thrown.ts';
import type { Handlers, TargetDefinition } from '../handlers/define.ts';
import { Driven, Misbehaviour } from './driven.ts';
import { FileCalls } from './file-calls.ts';
import type { Disk } from './phase.ts';
import { PHASES } from './phases.ts';

/** The id that a check says: there is no device. */
const NO_DEVICE = -1;

export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly hint: string | null;
}

export interface CheckOptions {
  readonly files: readonly string[];
  readonly targetOptions: Readonly<Record<string, string>>;
  /** Only reads: what the target stores stays. */
  readonly readOnly: boolean;
}

/** Throws a UblkError for a target that cannot be loaded or opened; what it does wrong afterwards is a finding. */
export async function checkTarget(name: string, options: CheckOptions): Promise<Finding[]> {
  const file = await targetReference(name);
  const calls = await FileCalls.begin();
  try {
    return await check(file, options, calls);
  } finally {
    calls.end();
  }
}

async function check(
  file: string,
  { files, targetOptions, readOnly }: CheckOptions,
  calls: FileCalls,
): Promise<Finding[]> {
  const definition = await loadDefinition(file);
  requireKnown(definition, targetOptions);
  const opening = { files, options: targetOptions, device: NO_DEVICE, recovering: false, deviceBytes: 0 };
  const shared = await setUp(definition, file, opening);
  const threads = definition.setup === undefined ? 1 : 2;
  const handlers = await openHandlers(definition, file, { ...opening, shared, thread: 0, threads });
  const second = threads === 1 ? null : await openSecond(file, { ...opening, shared, thread: 1, threads });
  const findings: Finding[] = [described(handlers)];
  const driven = new Driven(handlers);
  const secondDriven = second === null ? null : new Driven(second, driven.model);
  const disk = { ...diskOf(handlers, readOnly), second: secondDriven, calls };
  for (const phase of PHASES) {
    const finding = await outcomeOf(phase.name, file, () => phase.run(driven, disk));
    if (finding !== null) findings.push(finding);
    if (finding?.status === 'fail') break;
  }
  findings.push((await outcomeOf('close', file, async () => closed([handlers, second], driven)))!);
  return findings;
}

/** Another thread shares nothing with the first one but what `setup` has returned: it has a copy of the file's module. */
async function openSecond(file: string, opening: Parameters<typeof openHandlers>[2]): Promise<Handlers> {
  const copy = await loadDefinition(file, 'thread-1');
  return openHandlers(copy, file, { ...opening, shared: structuredClone(opening.shared) });
}

function requireKnown({ options = {} }: TargetDefinition, given: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(options, name));
  if (unknown === undefined) return;
  throw usageError(
    ['the target has no option ', option(`targetOptions.${unknown}`)],
    `it has ${Object.keys(options).join(', ') || 'none'}`,
  );
}

async function closed(all: readonly (Handlers | null)[], driven: Driven): Promise<string> {
  for (const handlers of all) await handlers?.close?.();
  await driven.requireReleased();
  return `${driven.requests} requests and ${driven.bytes} bytes in all; no buffer was used after its request`;
}

async function outcomeOf(name: string, file: string, run: () => Promise<string | null>): Promise<Finding | null> {
  try {
    const detail = await run();
    return detail === null ? null : { name, status: 'ok', detail, hint: null };
  } catch (error) {
    if (!(error instanceof Misbehaviour)) throw error;
    const cause = error.cause === undefined ? null : describeThrown(error.cause, file);
    return { name, status: 'fail', detail: error.message, hint: cause };
  }
}

function described(handlers: Handlers): Finding {
  const { size, blockSize = 512 } = handlers;
  const offered = (['write', 'flush', 'discard', 'writeZeroes'] as const).filter(
    (name) => handlers[name] !== undefined,
  );
  const detail = `${size} bytes in blocks of ${blockSize}; ${['read', ...offered].join(', ')}`;
  return { name: 'device', status: 'ok', detail, hint: null };
}

function diskOf(handlers: Handlers, readOnly: boolean): Omit<Disk, 'second' | 'calls'> {
  const { size, blockSize = 512, maxBytes = ADD_DEFAULTS.maxIoBufBytes } = handlers;
  const writes = handlers.write !== undefined && handlers.readOnly !== true && !readOnly;
  return {
    handlers,
    size,
    block: blockSize,
    most: Math.min(maxBytes, ADD_DEFAULTS.maxIoBufBytes),
    writes,
    random: generator(),
  };
}

/** mulberry32, so that a failure comes again. */
function generator(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
