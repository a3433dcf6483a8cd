/**
 * `--foreground`: this process stays as long as the device. On a terminal it shows the device's monitor; elsewhere what
 * `add` prints.
 *
 * In the foreground the command is the server: when a signal ends the server, the command ends as a program does that a
 * signal ended, with 128 and its number. kublk's, being one process, does so by nature, and its tests look for 137.
 */
import { constants } from 'node:os';
import type { StartedDevice } from '../../device/report.ts';
import { UblkError } from '../../errors.ts';
import type { ForegroundMonitor } from '../../monitor/foreground.ts';

export interface Foreground {
  /** Serves until the device is gone, and says when it is live. */
  readonly serve: (onReady: (device: StartedDevice) => void) => Promise<void>;
  readonly print: (device: StartedDevice) => void;
  /** Somebody who asked for a format wants text. */
  readonly wantsText: boolean;
}

export async function stayInForeground({ serve, print, wantsText }: Foreground): Promise<void> {
  const showMonitor = wantsText ? null : await monitorOfThisTerminal();
  let monitor: ForegroundMonitor | undefined;
  try {
    await serve((device) => {
      if (showMonitor === null) print(device);
      else monitor = showMonitor(device.id, () => process.kill(process.pid, 'SIGINT'));
    });
  } catch (error) {
    const signal = signalOf(error);
    if (signal !== undefined) process.exitCode = 128 + constants.signals[signal];
    throw error;
  } finally {
    await monitor?.close();
  }
}

async function monitorOfThisTerminal() {
  const { canShowMonitor } = await import('../../monitor/run.ts');
  return canShowMonitor() ? (await import('../../monitor/foreground.ts')).showInForeground : null;
}

/** The library leaves how the server ended as the cause. */
function signalOf(error: unknown): NodeJS.Signals | undefined {
  const ending = error instanceof UblkError && error.code === 'SERVER_DIED' ? error.cause : undefined;
  return (ending as { signal: NodeJS.Signals | null } | undefined)?.signal ?? undefined;
}
