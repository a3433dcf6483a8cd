/** Waits for a command that runs apart, with an eye on the device's server: one that is stopped is waited for less long. */
import type { ApartOptions } from '../control/apart.ts';
import { DEFAULT_TIMEOUT_MS, type WaitOptions, waitingReporter } from '../control/waiting.ts';
import { processState } from '../record/process-state.ts';
import { explain, type StuckCommand, stuckError } from './stuck.ts';

/** A server in state T may be in a debugger, or be continued in a moment. */
const STOPPED_MS = 10_000;
const LOOK_MS = 250;

/** `run` starts the command with the options that it is given. Default bound: 30 s. */
export async function patiently<T>(
  command: StuckCommand,
  options: WaitOptions,
  run: (options: ApartOptions) => Promise<T>,
): Promise<T> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const report = waitingReporter(options.onWaiting);
  const stopped = new AbortController();
  let stoppedLooks = 0;
  const timer = setInterval(() => {
    const isStopped = processState(command.serverPid) === 'stopped';
    stoppedLooks = isStopped ? stoppedLooks + 1 : 0;
    report(`waiting for ${explain(command.device, command.serverPid).reason}`);
    if (stoppedLooks * LOOK_MS >= Math.min(STOPPED_MS, timeoutMs)) stopped.abort(stuckError(command));
  }, LOOK_MS);
  const signals = options.signal === undefined ? [stopped.signal] : [options.signal, stopped.signal];
  try {
    return await run({
      timeoutMs,
      signal: AbortSignal.any(signals),
      onWaiting: report,
      late: () => stuckError(command),
    });
  } finally {
    clearInterval(timer);
  }
}
