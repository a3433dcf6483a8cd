/** Checks a target of byte handlers without a kernel: drives its handlers against a model and says what is wrong. */
import { usageError } from '../../errors.ts';
import { checkFileCount } from '../../spec/checks/target.ts';
import { option } from '../../spec/option-names.ts';
import { ADD_DEFAULTS } from '../../spec/options.ts';
import { CLOSE_SECONDS } from '../close-limit.ts';
import { misspeltHandlers } from '../handlers/handlers.ts';
import type { Misspelt } from '../handlers/misspelt.ts';
import { openHandlers, setUp } from '../handlers/open.ts';
import { START_SECONDS, withinBound } from '../load/bound.ts';
import { loadDefinition } from '../load/load.ts';
import { describeThrown } from '../load/thrown.ts';
import type { Handlers, TargetDefinition } from '../handlers/define.ts';
import { type Begin, Driven, failureOf, Misbehaviour, REQUEST_SECONDS } from './driven.ts';
import { FileCalls } from './file-calls.ts';
import type { Disk } from './phase.ts';
import { PHASES } from './phases.ts';
import { Strays } from './strays.ts';

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

/** Is told of the steps of a check, before and after code of the target runs. */
export interface CheckProgress {
  /** Code of the target is called next: `what` says which, and `seconds` how long it may take. */
  readonly begun: (part: string, what: string, seconds: number) => void;
  readonly found: (finding: Finding) => void;
}

const UNWATCHED: CheckProgress = { begun: () => {}, found: () => {} };

/**
 * `file`: the target's, an absolute path. Throws a UblkError for a target that cannot be loaded or opened; what it does wrong
 * afterwards is a finding. Code that never returns keeps this thread: see thread.ts.
 */
export async function checkTarget(
  file: string,
  options: CheckOptions,
  progress: CheckProgress = UNWATCHED,
): Promise<Finding[]> {
  const calls = await FileCalls.begin();
  const strays = Strays.begin();
  try {
    return await check(file, options, { calls, strays, progress });
  } finally {
    strays.end();
    calls.end();
  }
}

/** What is watched while the code of the target runs. */
interface Watched {
  readonly calls: FileCalls;
  readonly strays: Strays;
  readonly progress: CheckProgress;
}

async function check(file: string, options: CheckOptions, { calls, strays, progress }: Watched): Promise<Finding[]> {
  const findings: Finding[] = [];
  let part = 'device';
  const begun = (what: string, seconds: number): void => progress.begun(part, what, seconds);
  const found = async <T>(
    name: string,
    work: () => Promise<T>,
    detail: (done: T) => string | null,
  ): Promise<T | null> => {
    part = name;
    const { done, finding } = await outcomeOf(name, file, () => strays.orFirst(work()), detail);
    if (finding === null) return done;
    findings.push(finding);
    progress.found(finding);
    return done;
  };
  const opened = await found(
    'device',
    () => open(file, options, begun),
    ({ handlers }) => described(handlers),
  );
  if (opened === null) return findings;
  const { handlers, second } = opened;
  for (const finding of misspeltHandlers(handlers).map(unused)) {
    findings.push(finding);
    progress.found(finding);
  }
  const driven = new Driven(handlers, begun);
  const secondDriven = second === null ? null : new Driven(second, begun, driven.model);
  const disk = { ...diskOf(handlers, options.readOnly), second: secondDriven, calls };
  for (const phase of PHASES) {
    await found(
      phase.name,
      () => {
        begun('a handler', REQUEST_SECONDS);
        return phase.run(driven, disk);
      },
      (said) => said,
    );
    if (findings.at(-1)?.status === 'fail') break;
  }
  // A server that has ended in an error calls `close` of nothing.
  if (!strays.isThere)
    await found(
      'close',
      () => closed([handlers, second], driven, begun),
      (said) => said,
    );
  return findings;
}

interface OpenTarget {
  readonly handlers: Handlers;
  /** Those of another thread; null for a target that one thread serves. */
  readonly second: Handlers | null;
}

async function open(file: string, { files, targetOptions }: CheckOptions, begun: Begin): Promise<OpenTarget> {
  begun('the top level of its file', START_SECONDS);
  const definition = await loadDefinition(file);
  requireKnown(definition, targetOptions);
  checkFileCount({ files, integrity: null }, { name: file, files: definition.files ?? { min: 0, max: 0 } });
  const opening = { files, options: targetOptions, device: NO_DEVICE, recovering: false, deviceBytes: 0 };
  begun('`setup`', START_SECONDS);
  const shared = await setUp(definition, file, opening);
  const threads = definition.setup === undefined ? 1 : 2;
  begun('`open`', START_SECONDS);
  const first = openHandlers(definition, file, { ...opening, shared, thread: 0, threads });
  const handlers = await withinBound(first, 'open', file);
  if (threads === 1) return { handlers, second: null };
  begun('`open` of a second thread', START_SECONDS);
  const second = openSecond(file, { ...opening, shared, thread: 1, threads });
  return { handlers, second: await withinBound(second, 'open', file) };
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

async function closed(all: readonly (Handlers | null)[], driven: Driven, begun: Begin): Promise<string> {
  for (const handlers of all) {
    if (handlers === null) continue;
    begun('`close`', CLOSE_SECONDS);
    await close(handlers);
  }
  await driven.requireReleased();
  return `${driven.requests} requests and ${driven.bytes} bytes in all; no buffer was used after its request`;
}

async function close(handlers: Handlers): Promise<void> {
  const failure = await failureOf('`close`', CLOSE_SECONDS, async () => handlers.close?.());
  if (failure === null) return;
  throw new Misbehaviour('`close` has failed: what was not stored may be lost', { cause: failure.thrown });
}

interface Outcome<T> {
  /** null: the target has done something wrong. */
  readonly done: T | null;
  /** null: there was nothing to do. */
  readonly finding: Finding | null;
}

async function outcomeOf<T>(
  name: string,
  file: string,
  run: () => Promise<T>,
  detailOf: (done: T) => string | null,
): Promise<Outcome<T>> {
  try {
    const done = await run();
    const detail = detailOf(done);
    return { done, finding: detail === null ? null : { name, status: 'ok', detail, hint: null } };
  } catch (error) {
    if (!(error instanceof Misbehaviour)) throw error;
    const cause = error.cause === undefined ? null : describeThrown(error.cause, file);
    const hint = cause !== null && error.message.includes(cause) ? null : cause;
    return { done: null, finding: { name, status: 'fail', detail: error.message, hint } };
  }
}

/** Only a warning, because the function can be one that the target itself calls. */
function unused({ name, meant }: Misspelt): Finding {
  const detail = `\`${name}\` is not part of the interface, so no request reaches it`;
  return { name: 'names', status: 'warn', detail, hint: `did you mean \`${meant}\`?` };
}

function described(handlers: Handlers): string {
  const { size, blockSize = 512 } = handlers;
  const offered = (['write', 'flush', 'discard', 'writeZeroes'] as const).filter(
    (name) => handlers[name] !== undefined,
  );
  return `${size} bytes in blocks of ${blockSize}; ${['read', ...offered].join(', ')}`;
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
