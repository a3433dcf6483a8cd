/** `set_affinity`: other CPUs for the threads that serve a device, while they serve. */
import { requireDeviceId } from '../../control/device-id.ts';
import { requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { UblkError, usageError } from '../../errors.ts';
import { COUNT, listOf, optional } from '../../kinds.ts';
import { affinityText } from '../../native/affinity-text.ts';
import { readText } from '../../native/kernel-files.ts';
import { getAffinity, setAffinity as bind } from '../../native/libc/calls.ts';
import { ERRNO, errnoName } from '../../native/uapi/errno.ts';
import { option } from '../../spec/option-names.ts';
import { formatCpuList } from '../cpu-list.ts';
import { describeDevice } from '../report/list.ts';
import type { DeviceReport, QueueReport } from '../report/report.ts';
import { requireCpus } from '../require-cpus.ts';

export interface AffinityOptions extends WaitOptions {
  /** The numbers of the CPUs that the threads may run on from now on; at least one. */
  readonly cpus: readonly number[];
  /** The queue whose threads are moved. Default: those of all queues. */
  readonly queue?: number | undefined;
}

export interface QueueAffinity {
  readonly id: number;
  /** The threads that serve the queue. */
  readonly tids: readonly number[];
  /** The CPUs that they may run on, as the kernel says. */
  readonly cpus: readonly number[];
}

export interface Moved {
  readonly queues: readonly QueueAffinity[];
  /** Sentences about what differs from what was asked for. */
  readonly notes: readonly string[];
}

/**
 * Resolves when the threads have been moved, which has been read back. The next server of the device has the CPUs that it was
 * made with. Throws a UblkError, before anything is moved, for CPUs that are not online and for threads that are not the
 * device's alone.
 */
export async function setAffinity(id: number, options: AffinityOptions): Promise<Moved> {
  requireDeviceId(id);
  requireWaiting(options, { cpus: listOf(COUNT), queue: optional(COUNT) });
  const { cpus, queue, ...waiting } = options;
  if (cpus.length === 0) throw usageError('the list of CPUs is empty', ['name some with ', option('cpus')]);
  requireCpus(cpus);
  const report = await describeDevice(id, waiting);
  const chosen = queuesOf(report, queue);
  for (const one of chosen) requireOwnThreads(report, one);
  const tids = new Set(chosen.flatMap((one) => one.tids));
  for (const tid of tids) move(report, tid, cpus);
  const queues = chosen.map((one) => ({ id: one.id, tids: one.tids, cpus: getAffinity(one.tids[0] ?? 0) }));
  return { queues, notes: [...narrowed(queues, cpus), ...others(report, chosen, tids)] };
}

function queuesOf({ id, queues }: DeviceReport, queue: number | undefined): readonly QueueReport[] {
  if (queue === undefined) return queues;
  const chosen = queues.filter((one) => one.id === queue);
  if (chosen.length > 0) return chosen;
  throw usageError(`device ${id} has no queue ${queue}`, `its queues are 0 to ${queues.length - 1}`);
}

/**
 * The ids of the threads come from the stats page of the device. The name of a thread says whether it serves this
 * device alone.
 */
function requireOwnThreads({ id, ublksrv_pid: pid, server }: DeviceReport, { id: queue, tids }: QueueReport): void {
  const names = tids.map((tid) => readText(`/proc/${pid}/task/${tid}/comm`)?.trim() ?? '');
  if (tids.length > 0 && names.every((name) => name.startsWith(`ublk${id}-`))) return;
  if (names.some((name) => name.startsWith('ublk-shared'))) throw sharedThread(id, queue, server ?? '');
  throw new UblkError(
    `the threads that serve queue ${queue} of device ${id} are not known: its server does not run, or another program serves it`,
    {
      code: 'ESRCH',
      device: id,
      command: 'sched_setaffinity',
      hint: `\`ublkts list -n ${id}\` says who serves it`,
    },
  );
}

function sharedThread(device: number, queue: number, server: string): UblkError {
  return new UblkError(
    `queue ${queue} of device ${device} is served by a thread that the server ${server} shares between devices`,
    {
      code: 'EBUSY',
      device,
      command: 'sched_setaffinity',
      hint: `start a server whose threads run there: \`ublkts serve --name NAME --threads N --cpus LIST\``,
    },
  );
}

function move({ id: device, ublksrv_pid: pid }: DeviceReport, tid: number, cpus: readonly number[]): void {
  const errno = bind(cpus, tid);
  if (errno === 0) return;
  throw new UblkError(`thread ${tid} cannot be moved to CPUs ${formatCpuList(cpus)}: ${affinityText(errno)}`, {
    code: errnoName(errno),
    device,
    command: 'sched_setaffinity',
    ...(errno === ERRNO.EINVAL ? { hint: `\`taskset -cp ${pid}\` prints the CPUs that its server may use` } : {}),
  });
}

/** sched_setaffinity leaves out what the cpuset of the thread's cgroup does not allow. */
function narrowed(queues: readonly QueueAffinity[], asked: readonly number[]): string[] {
  const missing = asked.filter((cpu) => queues.some(({ cpus }) => !cpus.includes(cpu)));
  return missing.length === 0
    ? []
    : [`the cpuset of the server's cgroup does not allow CPUs ${formatCpuList(missing)}`];
}

/** Notes about queues that were not named, but are served by threads whose CPUs have changed. */
function others(report: DeviceReport, chosen: readonly QueueReport[], moved: ReadonlySet<number>): string[] {
  const along = report.queues.filter((one) => !chosen.includes(one) && one.tids.some((tid) => moved.has(tid)));
  if (along.length === 0) return [];
  const which = along.map(({ id }) => id).join(', ');
  return [`the same threads serve ${along.length === 1 ? 'queue' : 'queues'} ${which} of the device, too`];
}
