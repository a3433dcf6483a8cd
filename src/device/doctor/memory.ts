/** Memory that can be shared and pinned. */
import { type Check, ok, warn } from './check.ts';

/** `meminfo` and `mounts` are the files of those names in /proc. */
export function checkHugepages(meminfo: string, mounts: string): Check {
  const total = numberAfter('HugePages_Total:', meminfo);
  const free = numberAfter('HugePages_Free:', meminfo);
  const kib = numberAfter('Hugepagesize:', meminfo);
  const mounted = mounts.split('\n').flatMap((line) => {
    const [, where = '', type] = line.split(' ');
    return type === 'hugetlbfs' ? [where] : [];
  });
  const detail = `${free} of ${total} free (${kib} KiB each), hugetlbfs ${mounted.join(', ') || 'not mounted'}`;
  const mount = '`mkdir -p /mnt/huge && mount -t hugetlbfs none /mnt/huge`';
  if (total === 0) {
    const also = mounted.length === 0 ? ` and ${mount}` : '';
    return warn(
      'hugepages',
      detail,
      `\`sysctl vm.nr_hugepages=64\`${also}; shared memory works without them, on tmpfs and memfds`,
    );
  }
  if (free === 0) return warn('hugepages', detail, 'all are in use: raise vm.nr_hugepages');
  if (mounted.length === 0) return warn('hugepages', detail, `${mount} for files to share`);
  return ok('hugepages', detail);
}

/** `limits` is /proc/self/limits. What io_uring pins is charged to users without CAP_IPC_LOCK. */
export function checkMemlock(limits: string, isRoot: boolean): Check {
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1] ?? 'unlimited';
  if (isRoot) return ok('memlock', `${soft === 'unlimited' ? soft : `${soft} bytes`}; root is not held to it`);
  if (soft === 'unlimited') return ok('memlock', soft);
  return warn('memlock', `${soft} bytes`, 'zero copy pins memory: raise it with `ulimit -l` or in limits.conf');
}

function numberAfter(label: string, text: string): number {
  return Number(new RegExp(`^${label}\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
