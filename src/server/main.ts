/**
 * The server process: `node main.js DEVICE_ID add|recover ATTEMPT MOUNT_NAMESPACE`. ATTEMPT is the call that starts it, as in
 * the device's record, and MOUNT_NAMESPACE is that of the call. Descriptor 3 is a pipe on which it reports `ready` or one error.
 * It loads no command line library and no terminal library, so that it starts fast and stays small.
 */
import { describeFailure, UblkError } from '../errors.ts';
import { shortageOf } from '../native/shortage.ts';
import { DEBUG_DEVICE, debugLog } from '../queue/debug-log.ts';
import { filesOf } from '../record/files.ts';
import { readRecord } from '../record/store.ts';
import { reopenedPaths } from '../targets/paths.ts';
import { endWhenAsked } from './asked-to-end.ts';
import { Devices } from './devices.ts';
import { giveFreeMemoryBack } from './free-memory.ts';
import { keepOnlyNeededMounts } from './mount-namespace.ts';
import { cpuTimeNotes } from './cpu-time-limit.ts';
import { avoidOutOfMemoryKiller } from './out-of-memory.ts';
import { log, surviveFullLog } from './log.ts';
import { refuseExit } from './no-exit.ts';
import { noteEnd } from './noted-end.ts';
import type { Start } from './serving.ts';
import { keepLogsShort } from './short-log.ts';
import { needsPool, startPool } from './start-pool.ts';
import { StartReporter } from './start-report.ts';

const LEFT_OPEN_MS = 2000;

async function main({ id, mode, attempt }: Start, callersNamespace: string | undefined): Promise<void> {
  const reporter = new StartReporter();
  // The main thread runs code of a target's own: its `setup`.
  process.on('uncaughtException', (error) => fail({ id, mode, attempt }, error, reporter));
  refuseExit();
  surviveFullLog();
  keepLogsShort(() => [filesOf(id).log]);
  try {
    const target = readRecord(id)?.spec.target ?? '';
    const killable = avoidOutOfMemoryKiller(target);
    if (needsPool(target)) await startPool();
    const device = await new Devices(null).start({ id, mode, attempt });
    const { quiet, debugMask, files } = device.spec;
    // `ublkts quiesce` of a -b device (device/change/quiesce-batch.ts).
    process.on('SIGUSR2', () => void device.quiesce().catch((error: unknown) => log((error as Error).message)));
    keepOnlyNeededMounts(callersNamespace, reopenedPaths(device.spec));
    const deleted = endWhenAsked(id, log);
    giveFreeMemoryBack();
    const notes = [...device.notes, ...killable, ...cpuTimeNotes()];
    reporter.report({ ready: true, notes });
    const first = `device ${id} (${[target, ...files].join(' ')}) ${mode === 'recover' ? 'has been recovered and ' : ''}is served by pid ${process.pid}`;
    for (const line of quiet ? [] : [first, ...notes]) log(line);
    debugLog(quiet ? 0 : debugMask, DEBUG_DEVICE, `device ${id} is live, mode ${mode}`);
    await device.gone;
    if (!quiet) log(`the server of device ${id} (pid ${process.pid}) ends`);
    await deleted();
    // A timer or a socket that the target's `setup` has left open must not keep a server that has no device.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), LEFT_OPEN_MS).unref();
  } catch (error) {
    fail({ id, mode, attempt }, error, reporter);
  }
}

function fail({ id, attempt }: Start, thrown: unknown, reporter: StartReporter): void {
  const error =
    thrown instanceof UblkError
      ? thrown
      : (shortageOf(thrown) ?? new UblkError(describeFailure(thrown), { code: 'INTERNAL', device: id }));
  log(error.message);
  noteEnd(id, 'failed', error.message, attempt);
  reporter.report({ ready: false, error });
  // Other queue threads may be blocked in the kernel, where nothing but a signal reaches them. With this process gone,
  // the kernel makes the device DEAD or, if it can be recovered, QUIESCED.
  process.kill(process.pid, 'SIGKILL');
}

const [id, mode, attempt, callersNamespace] = process.argv.slice(2);
if (id !== undefined && (mode === 'add' || mode === 'recover'))
  void main({ id: Number(id), mode, attempt }, callersNamespace);
