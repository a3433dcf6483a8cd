/**
 * The actions that keys ask for, done one after the other with the library. The monitor draws on while one is under way,
 * and says what it waits for.
 *
 * Whoever leaves the monitor meanwhile gets the terminal back at once, and the process stays until the actions are done
 * (run.ts): an action that was confirmed is neither cut short nor forgotten.
 */
import { resolve } from 'node:path';
import { UblkError } from '../errors.ts';
import type { Action, Message } from './screen.ts';

/** Does one action; `onWaiting` is told, in words, what it is waiting for. */
export type Perform = (action: Action, onWaiting: (text: string) => void, signal: AbortSignal) => Promise<void>;

export class Actions {
  readonly #perform: Perform;
  readonly #listeners = new Set<() => void>();
  readonly #giveUp = new AbortController();
  /** The first is under way, the others wait for it. */
  #queue: readonly Action[] = [];
  #running: Promise<void> | null = null;
  #progress: Message | null = null;
  #onDone: (message: Message) => void = () => {};

  constructor(perform: Perform = performWithLibrary) {
    this.#perform = perform;
  }

  /** Says what is under way; null when nothing is. Subscribers are told of changes. */
  get progress(): Message | null {
    return this.#progress;
  }

  add(action: Action): void {
    this.#queue = [...this.#queue, action];
    this.#running ??= this.#run();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener`, and nobody else, with the outcome of every action from now on. */
  onDone(listener: (message: Message) => void): void {
    this.#onDone = listener;
  }

  /** Resolves when nothing is under way any more. */
  async finished(): Promise<void> {
    await this.#running;
  }

  /** Stops waiting for the action under way, and drops those behind it. */
  giveUp(reason: Error): void {
    this.#queue = this.#queue.slice(0, 1);
    this.#giveUp.abort(reason);
  }

  async #run(): Promise<void> {
    for (let [action] = this.#queue; action !== undefined; [action] = this.#queue) {
      const words = `${WORDS[action.kind].doing} ${objectOf(action)}`;
      this.#show(`${words} ...`);
      const outcome = await this.#outcomeOf(action, (text) => this.#show(`${words}: ${text} ...`));
      this.#queue = this.#queue.slice(1);
      this.#progress = null;
      this.#onDone(outcome);
      this.#tell();
    }
    this.#running = null;
  }

  async #outcomeOf(action: Action, onWaiting: (what: string) => void): Promise<Message> {
    const { done, verb } = WORDS[action.kind];
    try {
      await this.#perform(action, onWaiting, this.#giveUp.signal);
      return { text: `${done} ${objectOf(action)}`, severity: 'good' };
    } catch (error) {
      return { text: `cannot ${verb} ${objectOf(action)}: ${failureText(error)}`, severity: 'bad' };
    }
  }

  #show(text: string): void {
    this.#progress = { text, severity: 'neutral' };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const WORDS = {
  delete: { verb: 'delete', doing: 'deleting', done: 'deleted' },
  recover: { verb: 'recover', doing: 'recovering', done: 'recovered' },
  register: { verb: 'register', doing: 'registering', done: 'registered' },
  unregister: { verb: 'unregister', doing: 'unregistering', done: 'unregistered' },
} as const;

function objectOf(action: Action): string {
  if (action.kind === 'register') return `${action.path} with ublkb${action.device}`;
  if (action.kind === 'unregister') return `buffer ${action.index} of ublkb${action.device}`;
  return `ublkb${action.device}`;
}

/** The library is loaded when a key needs it: the monitor starts sooner without it. */
async function performWithLibrary(
  action: Action,
  onWaiting: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { device } = action;
  const options = { onWaiting, signal };
  switch (action.kind) {
    case 'delete': {
      const { deleteDevice } = await import('../device/remove/delete.ts');
      return deleteDevice(device, options);
    }
    case 'recover': {
      const { recoverDevice } = await import('../device/recover/recover.ts');
      return void (await recoverDevice(device, {}, options));
    }
    case 'unregister': {
      const { unregisterBuffer } = await import('../device/buffers.ts');
      return unregisterBuffer(device, action.index, options);
    }
    case 'register': {
      const { registerBuffer } = await import('../device/buffers.ts');
      const { path, readOnly } = action;
      return void (await registerBuffer(device, { kind: 'path', path: resolve(path), readOnly }, options));
    }
  }
}

function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof UblkError && error.hint !== undefined ? `${error.message} (${error.hint})` : error.message;
}
