/**
 * `--foreground`: the command runs as long as its device. On a terminal it shows the monitor of the device, elsewhere it
 * prints what `add` prints.
 *
 * When a signal ends the server, the command exits with 128 plus the number of the signal, as if the signal had ended
 * the command. kublk is one process and does so by nature; the kernel's tests look for 137.
 */
import { constants } from 'node:os';
import type { WaitOptions } from '../../control/waiting.ts';
import type { StartedDevice } from '../../device/report/report.ts';
import { UblkError } from '../../errors.ts';
import type { ForegroundMonitor } from '../../monitor/foreground.ts';
import { interruptible } from './interruption.ts';
import { loadForegroundMonitor, loadMonitor } from './monitor.ts';

export interface Foreground {
  /** Serves until the device is gone, and says when it is live. It is given up by a signal that comes before that. */
  readonly serve: (onReady: (device: StartedDevice) => void, waiting: WaitOptions) => Promise<void>;
  readonly print: (device: StartedDevice) => void;
  /** A format was asked for, so text is printed and no monitor is shown. */
  readonly wantsText: boolean;
}

export async function stayInForeground({ serve, print, wantsText }: Foreground): Promise<void> {
  const showMonitor = wantsText ? null : await monitorOfThisTerminal();
  let monitor: ForegroundMonitor | undefined;
  try {
    const onReady = (device: StartedDevice): void => {
      if (showMonitor === null) print(device);
      else monitor = showMonitor(device.id, () => process.kill(process.pid, 'SIGINT'));
    };
    await untilServerEnds((waiting) => serve(onReady, waiting));
  } finally {
    await monitor?.close();
  }
}

/** Runs what serves until its server ends. A signal that comes before the server is ready gives it up. */
export async function untilServerEnds<T>(serve: (waiting: WaitOptions) => Promise<T>): Promise<T> {
  try {
    return await interruptible((signal) => serve({ signal }));
  } catch (error) {
    const signal = signalOf(error);
    if (signal !== undefined) process.exitCode = 128 + constants.signals[signal];
    throw error;
  }
}

async function monitorOfThisTerminal() {
  const { canShowMonitor } = await loadMonitor();
  return canShowMonitor() ? (await loadForegroundMonitor()).showInForeground : null;
}

/** The signal that ended the server, which the library leaves as the cause of the error. */
function signalOf(error: unknown): NodeJS.Signals | undefined {
  const ending = error instanceof UblkError && error.code === 'SERVER_DIED' ? error.cause : undefined;
  return (ending as { signal: NodeJS.Signals | null } | undefined)?.signal ?? undefined;
}
