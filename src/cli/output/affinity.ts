/** Where the threads of a device run now. */
import type { QueueAffinity } from '../../device/change/affinity.ts';
import { formatCpuList } from '../../device/cpu-list.ts';
import type { Views } from './views.ts';

export function affinityViews(device: number, queues: readonly QueueAffinity[]): Views {
  const text = (): string =>
    queues
      .map(({ id, tids, cpus }) => `device ${device} queue ${id}: CPUs ${formatCpuList(cpus)} (${threads(tids)})\n`)
      .join('');
  return { json: { device, queues }, kublk: text };
}

function threads(tids: readonly number[]): string {
  return `${tids.length === 1 ? 'thread' : 'threads'} ${tids.join(', ')}`;
}
