/** The Debian packages that the tests of Ceph need in addition to those of the ordinary image. */
export const CEPH_PACKAGES = ['ceph-common', 'ceph-mon', 'ceph-osd', 'qemu-block-extra'] as const;
