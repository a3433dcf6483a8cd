/**
 * Runs control commands in a process of their own, a hand, which can be left behind.
 *
 * STOP_DEV, for one, waits in the kernel until the device's server has finished every request. So the process that answers
 * to a person or to a program prepares a ring, and a hand inherits it, submits what is in it and waits; the results are in
 * the ring's memory, which both have. When the wait is over, or given up, the hand stays behind until the kernel is done.
 */
import type { ChildProcess } from 'node:child_process';
import { UblkError } from '../errors.ts';
import { HAND_CONTROL_FD } from '../native/hand/ring-fd.ts';
import { endOf, startHand } from '../native/hand/start.ts';
import { IOSQE_IO_LINK } from '../native/uapi/io-uring-sqe-flags.ts';
import { CQE_WORD_RES, CQE_WORD_USER_DATA_LO } from '../native/uapi/io-uring-words.ts';
import { type ControlCommand, prepareCommand } from './command.ts';
import { requireDeviceOf } from './device-id.ts';
import { requestOf } from './failures.ts';
import { type ControlRing, openControlRing } from './open.ts';
import { bounded, DEFAULT_TIMEOUT_MS, type WaitOptions } from './waiting.ts';

export interface ApartOptions extends WaitOptions {
  /** Makes the error of a wait that took too long; by default it says which command did not answer. */
  readonly late?: () => UblkError;
}

/**
 * The results of `commands`, which run one after the other; a command that fails (-errno) ends the chain, and those after
 * it have -ECANCELED. None of them may have a buffer. Default bound: 30 s. Given up, the chain still runs to its end.
 */
export async function runApart(commands: readonly ControlCommand[], options: ApartOptions = {}): Promise<number[]> {
  const { signal, onWaiting, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const [command] = commands;
  if (command === undefined) return [];
  commands.forEach(requireDeviceOf);
  const control = openControlRing(commands.length);
  try {
    prepareChain(control, commands);
    const hand = handFor(control, commands);
    onWaiting?.(`waiting for ${command.waitsFor ?? `the driver to ${requestOf(command.name, command.device)}`}`);
    const late = options.late ?? (() => lateError(command, timeoutMs));
    try {
      await bounded(endOf(hand), { signal, timeoutMs, late });
    } catch (error) {
      hand.unref();
      throw error;
    }
    return resultsOf(control, commands);
  } finally {
    control.close();
  }
}

function prepareChain({ ring: { sq } }: ControlRing, commands: readonly ControlCommand[]): void {
  commands.forEach((command, index) => {
    const flags = index === commands.length - 1 ? 0 : IOSQE_IO_LINK;
    prepareCommand(sq, command, { fd: HAND_CONTROL_FD, address: 0n, userData: index, flags });
  });
  sq.publish();
}

function handFor({ fd, ring }: ControlRing, commands: readonly ControlCommand[]): ChildProcess {
  return startHand(
    { call: 'ring', entries: commands.length },
    {
      title: `ublkts: ${commands.map(({ name }) => name).join(', ')} of device ${commands[0]?.device}`,
      descriptors: [ring.fd, fd],
    },
  );
}

function resultsOf({ ring: { cq } }: ControlRing, commands: readonly ControlCommand[]): number[] {
  const results = new Map<number, number>();
  for (let head = cq.head; head !== cq.ready(); head = (head + 1) | 0) {
    const at = cq.at(head);
    results.set(cq.words[at + CQE_WORD_USER_DATA_LO]!, cq.words[at + CQE_WORD_RES]!);
  }
  return commands.map((command, index) => {
    const result = results.get(index);
    if (result === undefined) throw killedError(command);
    return result;
  });
}

function lateError({ name, device }: ControlCommand, timeoutMs: number): UblkError {
  return new UblkError(`the driver did not ${requestOf(name, device)} within ${timeoutMs / 1000} s`, {
    code: 'TIMEOUT',
    command: name,
    device,
    hint: `\`ublkts list -n ${device}\` shows what the device waits for`,
  });
}

function killedError({ name, device }: ControlCommand): UblkError {
  return new UblkError(`cannot ${requestOf(name, device)}: the process that asked the driver was killed`, {
    code: 'EINTR',
    command: name,
    device,
  });
}
