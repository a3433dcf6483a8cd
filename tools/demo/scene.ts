/**
 * Runs in the lab's guest, on a terminal: makes the devices, starts the traffic, and shows the monitor until somebody
 * leaves it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { hugeFile } from '../guest/hugetlbfs.ts';
import { add } from '../guest/ublkts.ts';
import { keepBusy } from './traffic.ts';

const DISK = '/tmp/disk.img';

process.stdout.write('making a loop device that shares a buffer with its clients, and a null device ...\r\n');
const buffer = hugeFile(8);
writeFileSync(DISK, '');
truncateSync(DISK, 64 << 20);
const loop = await add(`-t loop --shmem_zc -q 2 -d 64 --htlb ${buffer.path} ${DISK}`);
const nothing = await add('-t null -q 2 -d 32');

keepBusy(loop.path, buffer.path, nothing.path);
const monitor = spawn('ublkts', ['monitor'], { stdio: 'inherit' });
const [code] = (await once(monitor, 'exit')) as [number | null];

// The guest goes now, and the devices and their clients with it.
process.exit(code ?? 1);
