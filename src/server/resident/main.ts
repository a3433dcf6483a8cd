/**
 * The process of a resident server: `node main.js NAME OPTIONS`, the options being JSON. It begins without a device; devices are given to it on its
 * socket (requests.ts). Descriptor 3 is a pipe on which it reports `ready` or one error.
 */
import { closeSync, existsSync, fstatSync, ftruncateSync, rmSync, statSync, writeSync } from 'node:fs';
import { describeFailure, UblkError } from '../../errors.ts';
import { shortageOf } from '../../native/shortage.ts';
import { filesOf, residentFiles } from '../../record/files.ts';
import { changing } from '../../record/run-files.ts';
import { takeServerLock } from '../../record/server-lock.ts';
import { parseServerOptions, type ServerOptions } from '../../spec/server-options.ts';
import { cpuTimeNotes } from '../cpu-time-limit.ts';
import { giveFreeMemoryBack } from '../free-memory.ts';
import { log, surviveFullLog } from '../log.ts';
import { refuseExit } from '../no-exit.ts';
import { avoidOutOfMemoryKiller } from '../out-of-memory.ts';
import { keepLogsShort } from '../short-log.ts';
import { RequestSocket } from '../socket/listener.ts';
import { startPool } from '../start-pool.ts';
import { StartReporter } from '../start-report.ts';
import { ResidentDevices } from './devices.ts';
import { ended } from './ended.ts';
import { ResidentRequests } from './requests.ts';

/** A server with the same name that was killed keeps its lock for a moment. */
const LEAVING_MS = 2000;
const LEFT_OPEN_MS = 2000;

async function main(name: string, options: ServerOptions): Promise<void> {
  const reporter = new StartReporter();
  // The main thread runs code of a target's own: its `setup`. That of one device must not end the others.
  process.on('uncaughtException', (error) => log(`outside of every request: ${describeFailure(error)}`));
  refuseExit();
  surviveFullLog();
  try {
    await startPool();
    const files = residentFiles(name);
    const notes = [...avoidOutOfMemoryKiller(''), ...cpuTimeNotes()];
    const locked = await takeNameLock(name, files.lock);
    writeOptions(locked, files.lock, options);
    const devices = new ResidentDevices(name, options);
    keepLogsShort(() => [files.log, ...devices.ids.map((id) => filesOf(id).log)]);
    const socket = await RequestSocket.listen(files.socket, new ResidentRequests(devices));
    const end = ended(devices);
    giveFreeMemoryBack();
    reporter.report({ ready: true, notes });
    log(`server ${name} (pid ${process.pid}) takes devices`);
    await end;
    log(`server ${name} (pid ${process.pid}) ends`);
    // The log before the socket: whoever hears of the end may start another server of that name, with a log of its own.
    rmSync(files.log, { force: true });
    await socket.close();
    await devices.end();
    // The lock last: who waits for it must not have its files removed.
    rmSync(files.lock, { force: true });
    closeSync(locked);
    // A timer or a socket that a target's `setup` has left open must not keep a server that has no device.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), LEFT_OPEN_MS).unref();
  } catch (error) {
    // The log is that of the server that has the name.
    if (!(error instanceof UblkError && error.code === 'EEXIST')) log(describeFailure(error));
    reporter.report({ ready: false, error: asUblkError(error) });
    process.kill(process.pid, 'SIGKILL');
  }
}

/** Takes the lock that there is one of for each name. A server that ends removes the file with its lock. */
async function takeNameLock(name: string, path: string): Promise<number> {
  for (;;) {
    const fd = await takeServerLock(path, LEAVING_MS);
    if (fd === null) throw existsSync(residentFiles(name).socket) ? nameTaken(name) : outOfReach(name);
    if (statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino) return fd;
    closeSync(fd);
  }
}

/**
 * `recover` starts the server again as it was, should it be killed. Those of the last server of this name are written over:
 * that takes no room, so a full file system loses none.
 */
function writeOptions(fd: number, path: string, options: ServerOptions): void {
  const text = Buffer.from(JSON.stringify(options));
  changing(path, () => {
    writeSync(fd, text, 0, text.length, 0);
    ftruncateSync(fd, text.length);
  });
}

function nameTaken(name: string): UblkError {
  return new UblkError(`a server named ${name} is running already`, {
    code: 'EEXIST',
    kind: 'busy',
    hint: `give it devices with \`ublkts add --server=${name}\`, or start another one with --name`,
  });
}

/** Somebody has removed its socket; or it is only starting, which takes less long than was waited for its lock. */
function outOfReach(name: string): UblkError {
  const { socket } = residentFiles(name);
  return new UblkError(
    `a server named ${name} is running already, and nobody can ask it for anything: ${socket} is gone`,
    {
      code: 'EEXIST',
      kind: 'busy',
      hint: `\`pgrep -af "resident/main.* ${name} "\` names its process; \`kill PID\` ends it with its devices, unless one is in use`,
    },
  );
}

function asUblkError(thrown: unknown): UblkError {
  if (thrown instanceof UblkError) return thrown;
  return shortageOf(thrown) ?? new UblkError(describeFailure(thrown), { code: 'INTERNAL' });
}

const [name, options] = process.argv.slice(2);
if (name !== undefined) void main(name, parseServerOptions(options ?? ''));
