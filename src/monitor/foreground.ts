/** The monitor of a device that exists only as long as this process: `add --foreground` on a terminal. */
import { type MonitorOptions, runMonitor } from './run.ts';

export interface ForegroundMonitor {
  /** Closes the screen; called when the device is gone. */
  close(): Promise<void>;
}

/** `onLeave` is called when the person has left the monitor, after being asked whether the device may go too. */
export function showInForeground(
  device: number,
  onLeave: () => void,
  options: Pick<MonitorOptions, 'source'> = {},
): ForegroundMonitor {
  const closing = new AbortController();
  const farewell = {
    title: `Stop and delete ublkb${device}?`,
    lines: ['Its server runs in the foreground and ends with the monitor.'],
    yes: 'stop and delete it',
    does: 'quit',
  } as const;
  const shown = show({ ...options, device, intervalMs: 1000, readOnly: false, signal: closing.signal, farewell });
  return {
    close: async () => {
      closing.abort();
      await shown;
    },
  };

  async function show(monitor: MonitorOptions): Promise<void> {
    try {
      await runMonitor(monitor);
    } catch (error) {
      // The device is served without the monitor too.
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return;
    }
    if (!closing.signal.aborted) onLeave();
  }
}
