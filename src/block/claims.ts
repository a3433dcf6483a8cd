/**
 * Finds the uses that would lose data if a block device went away: mounted file systems, swap, block devices made of it,
 * and the kernel's own servers of disks. They are read from /proc and /sys, which answer whatever the device does.
 */
import { namesIn, readText } from '../native/kernel-files.ts';
import { kernelExports } from './exports.ts';
import { fileSystemUses } from './file-systems.ts';
import type { Claimant } from './holder.ts';
import { devicesOfMount, mountsEverywhere, unescapeOctal } from './mounts.ts';
import { blockDeviceName, blockDeviceNumber, type DeviceNumber, numberOfNode } from './number.ts';
import { kernelLoops, kernelZrams } from './topology.ts';

/** One use of one block device. */
export interface Claim {
  /** The kernel's name of the disk or partition, or its number when the kernel has forgotten the name. */
  readonly device: string;
  readonly claimant: Claimant;
}

/** The claims on these disks and partitions: mounts, then swap, then devices on top of them, then exports. */
export function findClaims(numbers: readonly DeviceNumber[]): Claim[] {
  return [...findMounts(numbers), ...findSwaps(numbers), ...findStacked(numbers), ...findExports(numbers)];
}

/** Paths of the swap areas in /proc/swaps. */
export function parseSwaps(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => (line === '' ? [] : [unescapeOctal(line.split(/\s/)[0] ?? '')]));
}

/** Lists each path once, even if several mount namespaces have the mount. */
function findMounts(numbers: readonly DeviceNumber[]): Claim[] {
  const uses = fileSystemUses();
  const mounts = mountsEverywhere().map((mount) => ({ mount, disks: devicesOfMount(mount) }));
  return numbers.flatMap((number) => {
    const name = blockDeviceName(number);
    const its = uses.filter(({ device }) => device === name);
    const named = its.flatMap(({ mountedAs }) => mountedAs.flatMap((disk) => blockDeviceNumber(disk) ?? []));
    const found = new Map<string, Claim>();
    for (const { mount, disks } of mounts) {
      if (!disks.some((disk) => disk === number || named.includes(disk)) || found.has(mount.path)) continue;
      const { path, fileSystem, pid } = mount;
      found.set(path, claim(number, { kind: 'mount', path, fileSystem, pid }));
    }
    if (found.size > 0) return [...found.values()];
    return its.map(({ fileSystem }) => claim(number, { kind: 'file-system', fileSystem }));
  });
}

/** The swap areas on these disks and partitions. */
export function findSwaps(numbers: readonly DeviceNumber[]): Claim[] {
  return parseSwaps(readText('/proc/swaps') ?? '').flatMap((path) => {
    const number = numberOfNode(path);
    return number !== null && numbers.includes(number) ? [claim(number, { kind: 'swap', path })] : [];
  });
}

function findStacked(numbers: readonly DeviceNumber[]): Claim[] {
  const loops = [...kernelLoops(), ...kernelZrams()].map(({ name, file }) => ({ name, below: numberOfNode(file) }));
  return numbers.flatMap((number) => {
    const above = namesIn(`/sys/dev/block/${number}/holders`);
    const names = [...above, ...loops.filter(({ below }) => below === number).map(({ name }) => name)];
    return names.map((name) => claim(number, { kind: 'device', name, label: labelOf(name) }));
  });
}

/** The exports of these disks and partitions. */
export function findExports(numbers: readonly DeviceNumber[]): Claim[] {
  return kernelExports().flatMap(({ name, device, release }) =>
    device !== null && numbers.includes(device) ? [claim(device, { kind: 'export', name, release })] : [],
  );
}

/** The name that people know a dm device by. */
function labelOf(name: string): string | null {
  return readText(`/sys/block/${name}/dm/name`);
}

function claim(number: DeviceNumber, claimant: Claimant): Claim {
  return { device: blockDeviceName(number) ?? number, claimant };
}
