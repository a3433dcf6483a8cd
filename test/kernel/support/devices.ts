/** Devices whose servers come and go in a test. */
import assert from 'node:assert/strict';
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddOptions } from '../../../src/spec/options.ts';
import type { BufferReport, DeviceReport } from '../../../src/device/report/report.ts';
import { blockDevice } from '../guest.ts';
import { library } from './library.ts';

const { ADD_DEFAULTS, addDevice, deleteAllDevices, deleteDevice, describeDevice } = library;

/** Runs `use` on a new device, which is gone when it returns, whoever serves it then. */
export async function withServed(
  options: Partial<AddOptions> & { target: string },
  use: (device: DeviceReport) => Promise<void>,
): Promise<void> {
  const device = await addDevice({ ...ADD_DEFAULTS, ...options });
  try {
    await blockDevice(device.path);
    await use(device);
  } finally {
    await deleteDevice(device.id);
  }
}

export async function buffersOf(id: number): Promise<BufferReport[]> {
  return (await describeDevice(id)).buffers ?? [];
}

export async function bufferOf(id: number, index: number): Promise<BufferReport> {
  const found = (await buffersOf(id)).find((buffer) => buffer.index === index);
  assert.ok(found, `buffer ${index} of device ${id} is listed`);
  return found;
}

/** Kills the server, as a crash would, and waits until the kernel has seen it. */
export async function killServer(id: number): Promise<void> {
  const { ublksrv_pid: pid } = await describeDevice(id);
  process.kill(pid, 'SIGKILL');
  await until('the server is gone', async () => (await describeDevice(id)).state !== 'LIVE');
}

/** What the process's descriptors are: paths, `socket:[N]`, `anon_inode:[io_uring]`. */
export function openFiles(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory)
    .flatMap((fd) => linkOf(`${directory}/${fd}`))
    .sort();
}

/** Nothing when it has been closed since it was listed. */
function linkOf(fd: string): string[] {
  try {
    return [readlinkSync(fd)];
  } catch {
    return [];
  }
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `${what}, within ${seconds} s`);
    await sleep(50);
  }
}

/** Deletes all devices, ends the resident server `name`, whose process is `pid`, and waits until it has removed its files. */
export async function endServer(name: string, pid: number): Promise<void> {
  await deleteAllDevices();
  process.kill(pid, 'SIGTERM');
  await until('the resident server has ended', () => !existsSync(`/run/ublkts/server-${name}.log`));
}

/** Runs `use` with the device open for direct I/O. */
export async function withDisk<T>(path: string, use: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, constants.O_RDWR | constants.O_DIRECT);
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}

const HEAP_PAGE_BYTES = 256 << 10;

/** How many mappings a process has, without the pages of V8's heap, which come and go as it collects garbage. */
export function mappingsOf(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/maps`, 'latin1').trimEnd().split('\n');
  return lines.filter((line) => !isHeapPage(line)).length;
}

function isHeapPage(line: string): boolean {
  const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw-p 0+ 00:00 0\s*$/.exec(line) ?? [];
  return BigInt(`0x${to ?? '0'}`) - BigInt(`0x${from ?? '0'}`) === BigInt(HEAP_PAGE_BYTES);
}

/** The ids of the threads of a process whose name begins so. */
export function threadsNamed(pid: number, name: string): string[] {
  return readdirSync(`/proc/${pid}/task`).filter((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/comm`, 'latin1').startsWith(name),
  );
}
