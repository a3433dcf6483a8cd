/** A file system whose server never answers, like NFS without its server: a signal ends the waits for it. */
import { inBackground } from './background.ts';
import { until } from './devices.ts';
import { sh } from '../guest.ts';

/** Mounts one that is served (FUSE) by a program that reads nothing. The function that is returned unmounts it. */
export async function silentFiles(directory: string): Promise<() => Promise<void>> {
  sh(`modprobe fuse; mkdir -p ${directory}`);
  const SYS_mount = 165;
  const server = inBackground(`exec perl -e '
    open(my $fuse, "+<", "/dev/fuse") or die $!;
    my ($source, $target, $type) = ("silent", "${directory}", "fuse");
    my $options = "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0";
    syscall(${SYS_mount}, $source, $target, $type, 0, $options) == 0 or die $!;
    sleep;'`);
  await until('it is mounted', () => sh('cat /proc/mounts').includes(`silent ${directory} fuse`));
  return async () => {
    sh(`umount --force --lazy ${directory}`);
    process.kill(server.pid, 'SIGTERM');
    await server.succeeded.catch(() => {});
  };
}
