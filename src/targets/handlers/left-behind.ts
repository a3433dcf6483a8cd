/**
 * Whether code of a target has left something behind that only the event loop serves: a timer, a socket, or a promise that nobody
 * waits for. The thread that serves has to sleep there then.
 */
import { createHook, type HookCallbacks } from 'node:async_hooks';

/** `trackPromises` is newer than the types of Node here. Without it, promises are slower for as long as the hook is there. */
interface Hooks extends HookCallbacks {
  readonly trackPromises: boolean;
}

export interface Opened<Result> {
  readonly result: Result;
  /** The event loop has something to do for the target. */
  readonly isLeft: boolean;
}

/**
 * A timer counts also after `unref()`, which is the usual way to write what a cache holds every second; Node lists only what keeps
 * the program running.
 */
export async function seeWhatIsLeft<Result>(open: () => Promise<Result>): Promise<Opened<Result>> {
  const timers: object[] = [];
  const hooks: Hooks = {
    trackPromises: false,
    init: (_id, type, _trigger, resource) => {
      if (type === 'Timeout') timers.push(resource);
    },
  };
  const hook = createHook(hooks).enable();
  const before = process.getActiveResourcesInfo().length;
  try {
    const result = await open();
    return { result, isLeft: process.getActiveResourcesInfo().length > before || timers.some(isWaiting) };
  } finally {
    hook.disable();
  }
}

/** Node says of a timer that has fired or was cleared that it is destroyed. */
function isWaiting(timer: object): boolean {
  return Reflect.get(timer, '_destroyed') !== true;
}

/**
 * The names that async_hooks has for work of the event loop. FSREQCALLBACK is a call of node:fs, and names that end in WRAP are
 * sockets, pipes and processes. Compression, random bytes and keys have other names, and are left out: they may be done at once.
 */
const FOR_THE_LOOP = /^(?:PROMISE|Timeout|Immediate|Microtask|TickObject|FSREQCALLBACK|[A-Z]+WRAP)$/;

/** Calls `begun` once: when code on this thread first begins work of the event loop. Until then the watch costs nothing. */
export function whenLeft(begun: () => void): void {
  const hook = createHook({
    init: (_id, type) => {
      if (!FOR_THE_LOOP.test(type)) return;
      hook.disable();
      begun();
    },
  }).enable();
}
