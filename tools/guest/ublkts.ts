/** Runs the program on a kernel with ublk: in the lab's guest or on a host that has one. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DeviceReport } from '../../src/device/report/report.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** A thousand devices have metrics of 10 MB. */
export const MOST_OUTPUT = 64 << 20;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSetting {
  readonly env?: Readonly<Record<string, string>>;
  /** A program and its arguments that run ours: `setpriv`, `unshare` ... */
  readonly through?: readonly string[];
}

/** `line` is split at blanks. Whatever the exit code is, it is for the caller to judge. */
export function run(line: string, { env = {}, through = [] }: RunSetting = {}): Promise<Ran> {
  const [file = '', ...args] = [...through, process.execPath, PROGRAM, ...line.split(' ')];
  const options = {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 120_000,
    maxBuffer: MOST_OUTPUT,
  } as const;
  return new Promise((resolve) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      const killed = error?.killed ? 'it did not end within 120 s\n' : '';
      resolve({ code, stdout, stderr: `${stderr}${killed}` });
    });
  });
}

/** Throws what the program said when it failed, and returns its stdout. */
export async function ublkts(line: string, setting?: RunSetting): Promise<string> {
  const { code, stdout, stderr } = await run(line, setting);
  if (code !== 0) throw new Error(`ublkts ${line}: exit code ${code}\n${stderr}${stdout}`);
  return stdout;
}

/** Makes a device: `add` and its words. */
export async function add(line: string, setting?: RunSetting): Promise<DeviceReport> {
  const answer: { device: DeviceReport } = JSON.parse(await ublkts(`add ${line} --json`, setting));
  return answer.device;
}

export async function describe(id: number): Promise<DeviceReport> {
  const answer: { devices: DeviceReport[] } = JSON.parse(await ublkts(`list -n ${id} --json`));
  const [device] = answer.devices;
  if (device === undefined) throw new Error(`ublkts list -n ${id} shows no device`);
  return device;
}
