/** The monitor of a device that lives as long as this process: `add --foreground` on a terminal. */
import { type MonitorOptions, runMonitor } from './run.ts';

export interface ForegroundMonitor {
  /** Takes the screen away, when the device is gone. */
  close(): Promise<void>;
}

/** `onLeave`: the person has left, and has been told that the device goes too. */
export function showInForeground(
  device: number,
  onLeave: () => void,
  options: Pick<MonitorOptions, 'source'> = {},
): ForegroundMonitor {
  const closing = new AbortController();
  const farewell = {
    title: `Stop and delete ublkb${device}?`,
    lines: ['Its server runs in the foreground: it ends with the monitor.'],
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
      // The device is served all the same.
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return;
    }
    if (!closing.signal.aborted) onLeave();
  }
}
