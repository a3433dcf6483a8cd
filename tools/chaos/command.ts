/** Runs ublkts and holds it to its bound: no command may take longer, whatever became of the device. */
import { run, type Ran } from '../guest/ublkts.ts';

export const LONGEST_MS = 35_000;

/** Whatever the exit code is, it is for the caller to judge. */
export async function bounded(line: string): Promise<Ran> {
  const started = performance.now();
  const ran = await run(line);
  const took = performance.now() - started;
  if (took > LONGEST_MS) throw new Error(`ublkts ${line} took ${Math.round(took / 1000)} s: ${ran.stderr}`);
  return ran;
}

/** Throws what the program said when it failed, and returns its stdout. */
export async function succeeds(line: string): Promise<string> {
  const { code, stdout, stderr } = await bounded(line);
  if (code !== 0) throw new Error(`ublkts ${line}: exit code ${code}: ${stderr}${stdout}`);
  return stdout;
}

/** Waits for a promise of something that may hang. */
export async function within<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not end within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
