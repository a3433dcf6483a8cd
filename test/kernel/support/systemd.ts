/** A systemd that runs in the guest as process 1 of a pid namespace of its own, with a cgroup tree of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { packagePath } from '../../../src/package-root.ts';
import { sh } from '../guest.ts';
import { until } from './devices.ts';

const SYSTEMD = '/lib/systemd/systemd';
const CGROUP = '/sys/fs/cgroup/systemd-test';
export const UNITS = '/etc/systemd/system';
/** It starts nothing but what a test starts. */
const NOTHING = '[Unit]\nDescription=nothing\nDefaultDependencies=no\n';
const POWER_OFF_SECONDS = 60;

export interface Systemd {
  /** Runs a script among the processes of this systemd; its output. */
  readonly run: (script: string) => string;
  /** What `systemctl show` says of a unit. */
  readonly show: (unit: string, property: string) => string;
  /** Shuts down as a machine does, and resolves when no process is left. */
  readonly powerOff: () => Promise<void>;
}

/** `units`: files of examples/systemd; `fstab`: further lines of /etc/fstab. Kills whatever `use` leaves running. */
export async function withSystemd(
  { units, fstab }: { readonly units: readonly string[]; readonly fstab: readonly string[] },
  use: (systemd: Systemd) => Promise<void>,
): Promise<void> {
  assert.ok(existsSync(SYSTEMD), `there is no ${SYSTEMD}`);
  rmSync(UNITS, { recursive: true, force: true });
  mkdirSync(UNITS, { recursive: true });
  writeFileSync(`${UNITS}/nothing.target`, NOTHING);
  for (const unit of units) copyFileSync(packagePath(`examples/systemd/${unit}`), `${UNITS}/${unit}`);
  appendFileSync('/etc/fstab', fstab.map((line) => `${line}\n`).join(''));
  mkdirSync(CGROUP);
  const inside = `mount -t cgroup2 none /sys/fs/cgroup; exec env container=lab ${SYSTEMD} --system --unit=nothing.target --log-target=null --show-status=no`;
  const apart = `exec unshare --pid --fork --mount --mount-proc --cgroup --uts --ipc bash -c '${inside}'`;
  const machine = spawn('bash', ['-c', `echo $$ > ${CGROUP}/cgroup.procs; ${apart}`], { stdio: 'ignore' });
  const ended = once(machine, 'exit');
  const child = (): string => sh(`pgrep --parent ${machine.pid} || true`);
  await until('systemd has a process', async () => child() !== '');
  try {
    await use(await machineOf(child(), ended));
  } finally {
    // It is process 1 of its namespace, and takes all others with it.
    sh(`pkill --signal KILL --parent ${machine.pid} || true`);
    await ended;
    await until('its control group is empty', async () => tryRemove(CGROUP));
  }
}

async function machineOf(pid: string, ended: Promise<unknown>): Promise<Systemd> {
  const enter = `timeout 100 nsenter --target ${pid} --pid --mount --cgroup --uts --ipc`;
  const run = (script: string): string => sh(`${enter} bash -euo pipefail -c '${script}'`);
  await until('systemd runs', async () => sh(`${enter} systemctl is-system-running --wait || true`) === 'running');
  return {
    run,
    show: (unit, property) => run(`systemctl show --value --property=${property} ${unit}`),
    powerOff: async () => {
      run('systemctl poweroff --no-block');
      const late = sleep(POWER_OFF_SECONDS * 1000, 'late', { ref: false });
      assert.notEqual(await Promise.race([ended, late]), 'late', `it has not shut down within ${POWER_OFF_SECONDS} s`);
    },
  };
}

function tryRemove(cgroup: string): boolean {
  try {
    sh(`find ${cgroup} -mindepth 1 -depth -type d -exec rmdir {} +`);
    rmdirSync(cgroup);
  } catch {
    // Its last processes are still being freed.
  }
  return !existsSync(cgroup);
}
