/** `--foreground`: this process stays until the device is gone; Ctrl-C stops the device and deletes it. */
import { startDevice } from './add.ts';
import type { ServerProcess } from './launch.ts';
import { startRecovery } from './recover.ts';
import { deleteDevice } from './delete.ts';
import { describeDevice } from './list.ts';
import type { AddOptions } from '../spec/options.ts';
import type { StartedDevice } from './report.ts';
import { UblkError } from '../errors.ts';

/** `onReady` gets the live device. Resolves when the device is gone, rejects when its server died. */
export async function runForeground(options: AddOptions, onReady: OnReady): Promise<void> {
  await stay(await startDevice(options), onReady);
}

/** The same for `recover --foreground`. */
export async function recoverForeground(id: number, overrides: Partial<AddOptions>, onReady: OnReady): Promise<void> {
  await stay(await startRecovery(id, overrides), onReady);
}

type OnReady = (device: StartedDevice) => void;

async function stay(server: ServerProcess, onReady: OnReady): Promise<void> {
  let asked = false;
  // This process is not the server, as STOP_DEV wants it (server/serve-device.ts).
  const stop = () => {
    if (asked) return;
    asked = true;
    deleteDevice(server.device).catch((error: unknown) => process.stderr.write(`${(error as Error).message}\n`));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    onReady({ ...(await describeDevice(server.device)), notes: [...server.notes] });
    const ending = await server.ended;
    if (ending.signal !== null && !asked) {
      throw new UblkError(`the server of device ${server.device} was ended by ${ending.signal}`, {
        code: 'SERVER_DIED',
        device: server.device,
        cause: ending,
        hint: `\`ublkts recover -n ${server.device}\` if the device can be recovered, \`ublkts del -n ${server.device}\` if not`,
      });
    }
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
