// include/uapi/asm-generic/mman-common.h, mman.h and memfd.h, Linux 7.3: memory.

export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;

export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;

export const MADV_DONTNEED = 4;
export const MADV_NOHUGEPAGE = 15;
export const MADV_POPULATE_READ = 22;
export const MADV_POPULATE_WRITE = 23;
/** It does what MADV_DONTNEED does, also to locked pages (Linux 5.18). */
export const MADV_DONTNEED_LOCKED = 24;
/** Makes huge pages of small ones, whatever the system's setting is (Linux 6.1). */
export const MADV_COLLAPSE = 25;

export const MLOCK_ONFAULT = 1;

export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
