import { createHash } from 'node:crypto';

/** The contents of a lab image. Any change here makes a new image. */
export const recipe = {
  /** Counted up when image.ts itself builds a different image from the same lists. */
  revision: 1,
  suite: 'trixie',
  backports: 'trixie-backports',
  /** `linux-modules-7.3.4+deb13-cloud-amd64`, for one: the kernel is the newest that matches. */
  kernelModules: /^linux-modules-(7\.\d+\.\d+\S*-cloud-amd64)$/,
  packages: [
    'bash',
    'bpftrace',
    'dmsetup',
    'e2fsprogs',
    'fdisk',
    'fio',
    'gcc',
    'iproute2',
    'jq',
    'kmod',
    'libc6-dev',
    'libnbd-bin',
    'liburing-dev',
    'make',
    'nbd-client',
    'nbd-server',
    'nbdkit',
    'procps',
    'qemu-utils',
    'strace',
    'systemd',
    'udev',
    'util-linux',
    'xfsprogs',
  ],
  /** Left out of the image, in which nobody reads manuals. */
  leaveOut: ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'],
  /** Files of the kernel's source that go to `sourceRoot` with their paths, as wildcards of tar. */
  kernelSource: [
    'Documentation/block/ublk.rst',
    'drivers/block/ublk_drv.c',
    'include/uapi/linux/blkzoned.h',
    'include/uapi/linux/fs.h',
    'include/uapi/linux/io_uring',
    'include/uapi/linux/io_uring.h',
    'include/uapi/linux/ublk_cmd.h',
    'tools/testing/selftests/kselftest*',
    'tools/testing/selftests/lib.mk',
    'tools/testing/selftests/ublk',
  ],
  sourceRoot: '/usr/src/ublk',
  /** A copy of the selftests with the reference server compiled in it. */
  kublkRoot: '/opt/kublk',
  /** Sparse: only what is used takes space on the host. */
  imageSize: '4G',
} as const;

/** Names the images that this recipe made with further packages, which come after its own. */
export function recipeHash(morePackages: readonly string[] = []): string {
  const whole = { ...recipe, packages: [...recipe.packages, ...morePackages] };
  const text = JSON.stringify(whole, (_key, value: unknown) => (value instanceof RegExp ? value.source : value));
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
