/**
 * The bytes of a CPU mask as it is passed to the kernel: bits for 4,096 CPUs. The kernel takes a mask that is longer than its
 * own, and refuses one that has fewer bits than the machine can have CPUs (EINVAL). glibc's cpu_set_t has 128 bytes.
 */
export const CPU_MASK_BYTES = 512;
