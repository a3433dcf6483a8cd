/**
 * The nodes of a device in /dev. udev or devtmpfs makes them a moment after the kernel has made the device, and neither
 * replaces a file that is already there: whoever opens one without a look may read and write a plain file.
 */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../clock.ts';
import { UblkError } from '../errors.ts';
import { blockDeviceNumber, deviceNumber } from '../block/number.ts';

/** Until a node that is missing is given up. */
const MISSING_MS = 10_000;
/** Until another file in its place is taken for one that stays. */
const WRONG_MS = 2000;
const RETRY_MS = 10;

/** Resolves with the path when /dev/ublkcN is the char device of device `id`. */
export async function charDeviceNode(id: number): Promise<string> {
  const number = () => readFileSync(`/sys/class/ublk-char/ublkc${id}/dev`, 'utf8').trim();
  return waitForNode({ id, path: `/dev/ublkc${id}`, kind: 'character', number });
}

/** Resolves with the path when /dev/ublkbN is the block device of device `id`. */
export async function blockDeviceNode(id: number): Promise<string> {
  const number = () => blockDeviceNumber(`ublkb${id}`) ?? 'unknown';
  return waitForNode({ id, path: `/dev/ublkb${id}`, kind: 'block', number });
}

interface Node {
  readonly id: number;
  readonly path: string;
  readonly kind: 'character' | 'block';
  /** MAJOR:MINOR, as sysfs has it. */
  readonly number: () => string;
}

async function waitForNode(node: Node): Promise<string> {
  const began = milliseconds();
  for (;;) {
    const stat = statSync(node.path, { throwIfNoEntry: false });
    if (stat !== undefined && isNode(stat, node)) return node.path;
    const patience = stat === undefined ? MISSING_MS : WRONG_MS;
    if (milliseconds() - began > patience) throw stat === undefined ? missing(node) : inTheWay(node, stat);
    await sleep(RETRY_MS);
  }
}

function isNode(stat: Stats, { kind, number }: Node): boolean {
  const isKind = kind === 'block' ? stat.isBlockDevice() : stat.isCharacterDevice();
  return isKind && deviceNumber(stat.rdev) === number();
}

function missing({ id, path, kind, number }: Node): UblkError {
  return new UblkError(`${path} has not appeared: nothing makes a node for ${kind} device ${number()}`, {
    code: 'ENOENT',
    device: id,
    command: 'open',
    hint: 'see that udev runs, or that /dev is a devtmpfs',
  });
}

function inTheWay({ id, path, kind, number }: Node, stat: Stats): UblkError {
  return new UblkError(`${path} is ${whatItIs(stat)}, and not ${kind} device ${number()}`, {
    code: 'EEXIST',
    kind: 'failed',
    device: id,
    command: 'open',
    hint: `move it away: \`mv ${path} /var/tmp/\``,
  });
}

function whatItIs(stat: Stats): string {
  if (stat.isFile()) return `a plain file of ${stat.size} bytes`;
  if (stat.isDirectory()) return 'a directory';
  if (stat.isBlockDevice() || stat.isCharacterDevice()) return `device ${deviceNumber(stat.rdev)}`;
  return 'a pipe or socket';
}
