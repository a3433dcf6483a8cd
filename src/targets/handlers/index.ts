/** The byte-handler adapter: one ring target (target.ts) that serves requests with the functions of a TargetDefinition. */
import type { OneThread } from '../../spec/target-traits.ts';
import { UblkError } from '../../errors.ts';
import { requireNoIntegrity } from '../integrity.ts';
import type { Opened, OpenRequest, QueueContext, TargetType } from '../target.ts';
import type { TargetDefinition } from './define.ts';
import { seeWhatIsLeft } from './left-behind.ts';
import { openHandlers, setUp } from './open.ts';
import { describeOption, parseOptions, recordedOptions } from './options.ts';
import { handlerParams } from './params.ts';
import { HandlersQueue } from './queue.ts';

/** What the main thread tells the queue threads: plain data. */
interface State {
  readonly request: OpenRequest;
  /** What `setup` has resolved to. */
  readonly shared: unknown;
}

const HANDLERS_SHARE: OneThread = {
  because: 'its handlers share variables',
  otherwise: 'give the target a `setup`, which makes each thread independent',
};

/** `file`: the absolute path of the file that the definition came from; the target is named by it. */
export function handlersTarget(definition: TargetDefinition, file: string): TargetType<State> {
  const kinds = definition.options ?? {};
  return {
    name: file,
    summary: definition.summary,
    options: Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, describeOption(kind)])),
    files: definition.files ?? { min: 0, max: 0 },
    prefers: [],
    oneThread: definition.setup === undefined ? HANDLERS_SHARE : undefined,
    looksAtData: true,
    recorded: (options) => recordedOptions(kinds, options),
    check: ({ options, integrity }) => {
      requireNoIntegrity(file, integrity);
      parseOptions(kinds, options);
    },
    open: (request) => open(request, definition, file),
    queue: (context) => queue(context, definition, file),
    resize: () => {
      throw fixedSize(file);
    },
  };
}

function fixedSize(file: string): UblkError {
  return new UblkError(`the size of the device is the one that ${file} says`, {
    code: 'EOPNOTSUPP',
    command: 'UPDATE_SIZE',
    hint: 'let the target say another size, and add the device again',
  });
}

async function open(request: OpenRequest, definition: TargetDefinition, file: string): Promise<Opened<State>> {
  const shared = await setUp(definition, file, request);
  return { params: null, files: [], state: { request, shared }, operations: 1, close: () => {} };
}

async function queue(context: QueueContext<State>, definition: TargetDefinition, file: string): Promise<HandlersQueue> {
  const { request, shared } = context.state;
  const { thread, threads } = context;
  const opening = { ...request, shared, thread, threads };
  const { result: handlers, isLeft } = await seeWhatIsLeft(() => openHandlers(definition, file, opening));
  // A timer or a socket that `open` has left runs in the event loop only.
  if (isLeft) context.events.sleepInLoop();
  return new HandlersQueue(handlers, handlerParams(handlers, request), context, file);
}
