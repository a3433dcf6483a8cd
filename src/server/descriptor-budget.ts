/**
 * Whether a server may have as many open files as its device needs. The limit (RLIMIT_NOFILE) is inherited, and Node
 * raises its soft value to the hard one when it starts; a server that meets it half way would fail in any of a dozen
 * places, with the device already made.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { UblkError } from '../errors.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { option } from '../spec/option-names.ts';
import type { TargetTraits } from '../spec/target-traits.ts';

/** What the number of descriptors depends on. */
export interface DescriptorNeeds {
  readonly threads: number;
  readonly files: readonly string[];
  readonly sharedMemory: boolean;
  readonly buffers: readonly unknown[];
  /** What the target needs beyond its backing files, for example sockets. */
  readonly ofTarget: number;
}

/** `target`: null for one whose traits are not known here. */
export function descriptorNeeds(spec: DeviceSpec, target: TargetTraits | null): DescriptorNeeds {
  return { ...spec, ofTarget: target?.descriptors?.(spec.targetOptions, spec.threads) ?? 0 };
}

/**
 * As counted in /proc/PID/fd of servers (Node 26): the standard three, the ring of control commands, the char device, the
 * server lock, and what Node's event loop and thread pool have.
 */
const BASE = 27;
/** Of a queue thread: its ring, the code of its system call, what wakes it, and the five of a Node event loop. */
const PER_THREAD = 8;
/** The listening socket, and a client with what it hands over. */
const SOCKET = 4;
/** What is open for a moment: a file that is read, a command that is answered. */
const SPARE = 6;

/** The descriptors that the server of such a device has open at most. */
export function serverDescriptors({ threads, files, sharedMemory, buffers, ofTarget }: DescriptorNeeds): number {
  const shared = sharedMemory ? SOCKET + buffers.length : 0;
  return BASE + threads * PER_THREAD + files.length + ofTarget + shared + SPARE;
}

/** Throws if `limit` is less than the server needs. */
export function checkDescriptors(needs: DescriptorNeeds, limit: number = openFilesLimit()): void {
  const needed = serverDescriptors(needs);
  if (needed <= limit) return;
  const { threads, files } = needs;
  const what = `${count(threads, 'thread')}${files.length === 0 ? '' : ` and ${count(files.length, 'file')}`}`;
  throw new UblkError(
    `the server of a device with ${what} needs ${needed} open files, and the limit is ${limit} (RLIMIT_NOFILE)`,
    {
      code: 'EMFILE',
      command: 'getrlimit',
      hint: [
        `\`ulimit -n ${roundedUp(needed)}\`, LimitNOFILE=${roundedUp(needed)} in a systemd unit, or fewer `,
        option('threads'),
      ],
    },
  );
}

/** Throws when this process, which serves other devices already, has too few descriptors left for one more device. */
export function checkDescriptorsLeft(
  needs: DescriptorNeeds,
  limit: number = openFilesLimit(),
  open: number = openFiles(),
): void {
  const needed = serverDescriptors(needs) - BASE;
  if (needed <= limit - open) return;
  throw new UblkError(
    `the server has ${limit - open} of ${limit} open files left (RLIMIT_NOFILE), and another device${needs.threads === 0 ? '' : ` of ${count(needs.threads, 'thread')}`} needs ${needed}`,
    {
      code: 'EMFILE',
      command: 'getrlimit',
      hint: 'start the server with a higher `ulimit -n`, or LimitNOFILE in a systemd unit; or start another server with `ublkts serve --name NAME`',
    },
  );
}

function openFiles(): number {
  // Since Linux 6.2 that is the size of the directory, which takes no longer with a thousand devices.
  return statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length;
}

/** The hard limit, to which Node has raised the soft one; Infinity where there is none. */
export function openFilesLimit(limits: string = readFileSync('/proc/self/limits', 'latin1')): number {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  return hard === undefined ? Infinity : Number(hard);
}

/** A number that people set: 64, 128, 256 ... */
function roundedUp(needed: number): number {
  return 2 ** Math.ceil(Math.log2(needed));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
