/** Explains what the kernel waits for when a command of a device does not end, and what ends the wait. */
import { requestOf } from '../control/failures.ts';
import { UblkError } from '../errors.ts';
import { namesIn, readText } from '../native/kernel-files.ts';
import { pidOfProgram } from '../program/identity.ts';
import { filesOf } from '../record/files.ts';
import { describePause, describeThaw, isPaused } from '../record/paused.ts';
import { isServing, processState } from '../record/process-state.ts';
import { type ServerIdentity, serverOf, serverState } from '../record/server-identity.ts';
import { readRecord } from '../record/store.ts';
import { deviceNamed } from '../targets/looks.ts';
import { escapeControls } from '../text/escape.ts';

export interface StuckCommand {
  readonly command: string;
  readonly device: number;
  /** The process id that the kernel named before the command; -1 when the device had no server. */
  readonly serverPid: number;
  /** Says what becomes of the command when the kernel goes on; empty when the command is not left behind. */
  readonly after: string;
}

/** The error of a command that was left behind in the kernel. */
export function stuckError({ command, device, serverPid: pid, after }: StuckCommand): UblkError {
  const { reason, hint } = explain(device, pid);
  return new UblkError(`cannot ${requestOf(command, device)} yet: the kernel waits for ${reason}; ${after}`, {
    code: 'TIMEOUT',
    kind: 'busy',
    command,
    device,
    hint,
  });
}

interface Explanation {
  /** The object of a sentence. */
  readonly reason: string;
  readonly hint: string;
}

/** Says what the kernel waits for while requests of the device are not finished. */
export function explain(device: number, serverPid: number): Explanation {
  const server = serverOf(serverPid, readRecord(device));
  const { pid } = server;
  const state = serverState(server);
  switch (state) {
    case 'stopped':
    case 'frozen':
      return {
        reason: `the requests of its server (pid ${pid}), which ${describePause(state)}`,
        hint: `${describeThaw(pid, state, 'finish them')}; ${killing(server)}`,
      };
    case 'zombie':
      return {
        reason: `its server (pid ${pid}), which has ended but still has threads in the kernel (zombie)`,
        hint: 'no signal reaches them any more: `dmesg` may say what they wait for',
      };
    case 'gone':
      return { reason: 'something else than its server, which is gone', hint: '`dmesg` may say what' };
    default:
      return explainRunning(device, server);
  }
}

function explainRunning(device: number, server: ServerIdentity): Explanation {
  const { pid } = server;
  const backing = suspendedBacking(device);
  if (backing !== null) {
    return {
      reason: `requests that its server (pid ${pid}) has sent to ${backing}, which is suspended`,
      hint: `\`dmsetup resume ${backing}\``,
    };
  }
  const { uri, program } = readRecord(device)?.spec.targetOptions ?? {};
  if (program !== undefined) return explainProgram(device, server, program);
  if (uri !== undefined) {
    return {
      reason: `requests that its server (pid ${pid}) has sent to ${uri}, or holds until that is back`,
      hint: `start that server again; or ${killing(server)}`,
    };
  }
  return {
    reason: `requests that its server (pid ${pid}) has not finished`,
    hint: `its backing may hang (see \`dmesg\`); ${killing(server)}`,
  };
}

/** Says what `kill -9` of the server would do to requests. Each device has a policy of its own, and a resident server has several. */
function killing({ pid, resident }: ServerIdentity): string {
  return resident === undefined
    ? `\`kill -9 ${pid}\` ends the device's server: the requests fail, or wait for \`ublkts recover\` where the device can be recovered`
    : `\`kill -9 ${pid}\` ends the resident server ${resident}: requests of its devices fail, or wait for \`ublkts recover -a\` where a device can be recovered`;
}

/** A program that ends is started again by the device's server, and gets the requests again. */
function explainProgram(device: number, server: ServerIdentity, program: string): Explanation {
  const pid = programOf(device);
  const state = processState(pid);
  const sent = `requests that its server (pid ${server.pid}) has sent to its program \`${escapeControls(program)}\``;
  const fails = killing(server);
  if (!isServing(state)) {
    return { reason: `${sent}, which does not run`, hint: `see ${filesOf(device).log}; or ${fails}` };
  }
  if (isPaused(state)) {
    return {
      reason: `${sent} (pid ${pid}), which ${describePause(state)}`,
      hint: `${describeThaw(pid, state, 'finish them')}. \`kill -9 ${pid}\` ends it: it is started again for them, and what it held in memory is lost`,
    };
  }
  return {
    reason: `${sent} (pid ${pid}), which has not answered them`,
    hint: `\`kill ${pid}\` asks it to end: it is started again for them; or ${fails}`,
  };
}

/** The process id of the device's program; -1 when it has none. */
export function programOf(device: number): number {
  return pidOfProgram(filesOf(device).program) ?? -1;
}

/** The name of a suspended device-mapper device below the backing files of a device of ours, or null. */
function suspendedBacking(device: number): string | null {
  const files = readRecord(device)?.spec.files ?? [];
  for (const file of files) {
    const number = deviceNamed(file);
    const found = number === null ? null : suspendedAt(`/sys/dev/block/${number}`);
    if (found !== null) return found;
  }
  return null;
}

function suspendedAt(directory: string): string | null {
  if (readText(`${directory}/dm/suspended`) === '1') return readText(`${directory}/dm/name`);
  for (const name of namesIn(`${directory}/slaves`)) {
    const found = suspendedAt(`${directory}/slaves/${name}`);
    if (found !== null) return found;
  }
  return null;
}
