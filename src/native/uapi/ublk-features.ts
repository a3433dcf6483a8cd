// include/uapi/linux/ublk_cmd.h, Linux 7.3: UBLK_F_*, the 64 feature bits of a device and of the driver.

export const UBLK_F_SUPPORT_ZERO_COPY = 1n << 0n;
export const UBLK_F_URING_CMD_COMP_IN_TASK = 1n << 1n;
export const UBLK_F_NEED_GET_DATA = 1n << 2n;
export const UBLK_F_USER_RECOVERY = 1n << 3n;
export const UBLK_F_USER_RECOVERY_REISSUE = 1n << 4n;
export const UBLK_F_UNPRIVILEGED_DEV = 1n << 5n;
export const UBLK_F_CMD_IOCTL_ENCODE = 1n << 6n;
export const UBLK_F_USER_COPY = 1n << 7n;
export const UBLK_F_ZONED = 1n << 8n;
export const UBLK_F_USER_RECOVERY_FAIL_IO = 1n << 9n;
export const UBLK_F_UPDATE_SIZE = 1n << 10n;
export const UBLK_F_AUTO_BUF_REG = 1n << 11n;
export const UBLK_F_QUIESCE = 1n << 12n;
export const UBLK_F_PER_IO_DAEMON = 1n << 13n;
export const UBLK_F_BUF_REG_OFF_DAEMON = 1n << 14n;
export const UBLK_F_BATCH_IO = 1n << 15n;
export const UBLK_F_INTEGRITY = 1n << 16n;
export const UBLK_F_SAFE_STOP_DEV = 1n << 17n;
export const UBLK_F_NO_AUTO_PART_SCAN = 1n << 18n;
export const UBLK_F_SHMEM_ZC = 1n << 19n;
export const UBLK_F_IO_DESC_SIZE = 1n << 20n;
