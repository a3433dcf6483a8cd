/** How a command waits for the library: what it waits for is shown, and Ctrl-C gives it up. */
import type { WaitOptions } from '../../control/waiting.ts';
import { interruptible } from './interruption.ts';
import { withProgress } from './progress.ts';

/** Runs the work; after half a second its progress is shown, if `shown`, and `label` until it reports something. */
export async function waitFor<T>(
  shown: boolean,
  label: string,
  work: (options: WaitOptions) => Promise<T>,
): Promise<T> {
  return interruptible((signal) => withProgress(shown, label, (onWaiting) => work({ signal, onWaiting })));
}
