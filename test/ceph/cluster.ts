/**
 * A Ceph cluster in the guest: one monitor, two OSDs, and the pool `rbd` with two copies of everything. It needs no manager,
 * whose statistics nothing here reads.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { sh } from '../kernel/guest.ts';
import { until } from '../kernel/support/devices.ts';

export const OSDS = [0, 1] as const;
export type Osd = (typeof OSDS)[number];

export interface Cluster {
  /** Ends OSDs as a crash of their machine would. */
  readonly killOsds: (...killed: readonly Osd[]) => Promise<void>;
  /** Starts OSDs that were killed, and waits until the monitor counts them. */
  readonly startOsds: (...started: readonly Osd[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const MONITORS = '[v2:127.0.0.1:3300,v1:127.0.0.1:6789]';
const MONMAP = '/run/ceph/monmap';
const LOGS = '/var/log/ceph';
/** An emulated OSD takes most of a minute to start. */
const PATIENCE_SECONDS = 300;

export async function startCluster(): Promise<Cluster> {
  const fsid = randomUUID();
  const folders = ['/etc/ceph', '/run/ceph', LOGS, '/var/lib/ceph/mon/ceph-a'];
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  writeFileSync('/etc/ceph/ceph.conf', configuration(fsid));
  sh(`monmaptool --create --fsid ${fsid} --addv a '${MONITORS}' ${MONMAP} && ceph-mon --mkfs -i a --monmap ${MONMAP}`);

  const monitor = startDaemon('ceph-mon', 'a');
  const osds = new Map<Osd, ChildProcess>();
  try {
    await makeOsds();
    for (const osd of OSDS) osds.set(osd, startDaemon('ceph-osd', String(osd)));
    await upOsdsAre(OSDS.length);
    await ceph('osd', 'pool', 'create', 'rbd', '8', '8', 'replicated');
    await ceph('osd', 'pool', 'application', 'enable', 'rbd', 'rbd');
  } catch (error) {
    await Promise.all([monitor, ...osds.values()].map(end));
    throw error;
  }

  return {
    killOsds: async (...killed) => {
      await Promise.all(killed.map((osd) => end(osds.get(osd))));
      for (const osd of killed) osds.delete(osd);
    },
    startOsds: async (...started) => {
      for (const osd of started) osds.set(osd, startDaemon('ceph-osd', String(osd)));
      await upOsdsAre(osds.size);
    },
    stop: async () => {
      await Promise.all([monitor, ...osds.values()].map(end));
    },
  };
}

/** Runs a command of the cluster's administrator. */
async function ceph(...words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('ceph', words, { timeout: PATIENCE_SECONDS * 1000 });
  return stdout.trim();
}

function configuration(fsid: string): string {
  return `[global]
fsid = ${fsid}
mon host = ${MONITORS}
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 2
# One copy is enough to go on, so the loss of one OSD is a pause, and the loss of both is an outage.
osd pool default min size = 1
osd pool default pg autoscale mode = off
# Both OSDs are on one machine.
osd crush chooseleaf type = 0
mon osd reporter subtree level = osd
mon osd min down reporters = 1
# An emulated OSD is slow, not dead.
osd heartbeat grace = 60
bluestore block create = true
bluestore block size = 1073741824
log to file = false
log to stderr = false
err to stderr = true
`;
}

/** The monitor counts the OSDs in the order in which it is asked. Their disks are made at the same time. */
async function makeOsds(): Promise<void> {
  const uuids = OSDS.map(() => randomUUID());
  for (const osd of OSDS) {
    const given = await ceph('osd', 'new', uuids[osd]!);
    if (given !== String(osd)) throw new Error(`the monitor called OSD ${osd} ${given}`);
  }
  await Promise.all(OSDS.map((osd) => makeDisk(osd, uuids[osd]!)));
}

async function makeDisk(osd: Osd, uuid: string): Promise<void> {
  mkdirSync(`/var/lib/ceph/osd/ceph-${osd}`, { recursive: true });
  await promisify(execFile)('ceph-osd', ['--mkfs', '-i', String(osd), '--osd-uuid', uuid], {
    cwd: '/',
    timeout: PATIENCE_SECONDS * 1000,
  });
}

function startDaemon(program: string, id: string): ChildProcess {
  const log = openSync(`${LOGS}/${program}-${id}`, 'a');
  try {
    // Debian's OSD looks for its classes in lib/, seen from the directory in which it was started.
    return spawn(program, ['-f', '-i', id], { cwd: '/', stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function upOsdsAre(count: number): Promise<void> {
  const areUp = async () => {
    const { num_up_osds: up } = JSON.parse(await ceph('osd', 'stat', '-f', 'json')) as { num_up_osds: number };
    return up === count;
  };
  try {
    await until(`${count} OSDs are up`, areUp, PATIENCE_SECONDS);
  } catch (error) {
    throw new Error(sh(`tail -n 20 ${LOGS}/*`), { cause: error });
  }
}
