/**
 * The server process: `node main.js DEVICE_ID add|recover`, with descriptor 3 a pipe on which it reports `ready` or one
 * error. Small on purpose: no command line library, no terminal library.
 */
import { closeSync, writeSync } from 'node:fs';
import { UblkError } from '../errors.ts';
import { DEBUG_DEVICE, debugLog } from '../queue/debug-log.ts';
import { startServer, type StartMode } from './server.ts';
import { readStoredDevice, updateStoredDevice } from '../record/stored-device.ts';

const REPORT_FD = 3;

/** What goes over the pipe: one line of JSON. */
export type StartReport =
  | { readonly ready: true; readonly notes: readonly string[] }
  | {
      readonly ready: false;
      readonly error: { message: string; code: string; kind: string; command?: string; device?: number; hint?: string };
    };

async function main(id: number, mode: StartMode): Promise<void> {
  try {
    const server = await startServer(id, mode);
    report({ ready: true, notes: server.notes });
    const { quiet, debugMask } = readStoredDevice(id)?.options ?? { quiet: false, debugMask: 0 };
    const mask = quiet ? 0 : debugMask;
    for (const note of quiet ? [] : server.notes) log(note);
    debugLog(mask, DEBUG_DEVICE, `device ${id} is live, mode ${mode}`);
    await server.gone;
    debugLog(mask, DEBUG_DEVICE, `device ${id} is gone`);
    updateStoredDevice(id, { ended: { at: new Date().toISOString(), reason: 'the device was stopped' } });
  } catch (error) {
    fail(id, error);
  }
}

let reported = false;

function report(message: StartReport): void {
  reported = true;
  try {
    writeSync(REPORT_FD, `${JSON.stringify(message)}\n`);
    closeSync(REPORT_FD);
  } catch {
    // The parent is gone; the device is served all the same.
  }
}

function fail(id: number, error: unknown): void {
  const known = error instanceof UblkError ? error : new UblkError(describe(error), { code: 'INTERNAL', device: id });
  log(known.message);
  updateStoredDevice(id, { ended: { at: new Date().toISOString(), reason: known.message } });
  if (!reported) {
    const { message, code, kind, command, device, hint } = known;
    report({
      ready: false,
      error: {
        message,
        code,
        kind,
        ...(command === undefined ? {} : { command }),
        ...(device === undefined ? {} : { device }),
        ...(hint === undefined ? {} : { hint }),
      },
    });
  }
  // Other queue threads may be blocked in the kernel, where nothing but a signal reaches them; with this process gone
  // the kernel makes the device DEAD or, if it can be recovered, QUIESCED.
  process.kill(process.pid, 'SIGKILL');
}

function log(text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${text}\n`);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

// A terminal's hang-up and Ctrl-C are for whoever started the server: it decides, from another process.
process.on('SIGHUP', () => {});
process.on('SIGINT', () => {});

const [id, mode] = process.argv.slice(2);
if (id !== undefined && (mode === 'add' || mode === 'recover')) await main(Number(id), mode);
