/**
 * Whether `open` of a target has left something behind that only the event loop serves: a timer or a socket. A timer counts also
 * after `unref()`, which is the usual way to write what a cache holds every second; Node lists only what keeps the program running.
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
