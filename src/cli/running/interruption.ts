import { UblkError } from '../../errors.ts';
import { INTERRUPTED } from '../failures/exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a task that cleans up after itself when its signal aborts, and aborts it on Ctrl-C and the like. The promise
 * settles after the cleaning up, which the same signals do not cut short: npm and timeout send them twice.
 */
export async function interruptible<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    controller.abort(new UblkError(`interrupted by ${name}`, { code: INTERRUPTED, cause: { signal: name } }));
  };
  SIGNALS.forEach((name) => process.on(name, interrupt));
  try {
    return await task(controller.signal);
  } finally {
    SIGNALS.forEach((name) => process.off(name, interrupt));
  }
}
