/**
 * Waits for a command that runs apart, with an eye on the device's server and its program: one that is stopped is waited for
 * less long.
 */
import type { ApartOptions } from '../control/apart.ts';
import { DEFAULT_TIMEOUT_MS, type WaitOptions, waitingReporter } from '../control/waiting.ts';
import { LOOK_MS, STOPPED_MS, StoppedLooks } from '../record/stopped-looks.ts';
import { explain, programOf, type StuckCommand, stuckError } from './stuck.ts';

/** `run` starts the command with the options that it is given. Default bound: 30 s. */
export async function patiently<T>(
  command: StuckCommand,
  options: WaitOptions,
  run: (options: ApartOptions) => Promise<T>,
): Promise<T> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const report = waitingReporter(options.onWaiting);
  const stopped = new AbortController();
  const [serverLooks, programLooks] = [new StoppedLooks(), new StoppedLooks()];
  const timer = setInterval(() => {
    const stoppedMs = Math.max(serverLooks.look(command.serverPid), programLooks.look(programOf(command.device)));
    report(`waiting for ${explain(command.device, command.serverPid).reason}`);
    if (stoppedMs >= Math.min(STOPPED_MS, timeoutMs)) stopped.abort(stuckError(command));
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
