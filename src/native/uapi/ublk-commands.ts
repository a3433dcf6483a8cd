// include/uapi/linux/ublk_cmd.h, Linux 7.3: the commands of /dev/ublk-control and of /dev/ublkcN.
import { ior, iowr } from './ioc.ts';
import { ublk_batch_io, ublksrv_ctrl_cmd, ublksrv_io_cmd } from './ublk-structs.ts';

const U = 0x75; // 'u'

// The numbers of control commands from before ioctl encoding (UBLK_F_CMD_IOCTL_ENCODE, Linux 6.4). The U_ forms are
// made of them.
export const UBLK_CMD_GET_QUEUE_AFFINITY = 0x01;
export const UBLK_CMD_GET_DEV_INFO = 0x02;
export const UBLK_CMD_ADD_DEV = 0x04;
export const UBLK_CMD_DEL_DEV = 0x05;
export const UBLK_CMD_START_DEV = 0x06;
export const UBLK_CMD_STOP_DEV = 0x07;
export const UBLK_CMD_SET_PARAMS = 0x08;
export const UBLK_CMD_GET_PARAMS = 0x09;
export const UBLK_CMD_START_USER_RECOVERY = 0x10;
export const UBLK_CMD_END_USER_RECOVERY = 0x11;
export const UBLK_CMD_GET_DEV_INFO2 = 0x12;

export const UBLK_U_CMD_GET_QUEUE_AFFINITY = ior(U, UBLK_CMD_GET_QUEUE_AFFINITY, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_GET_DEV_INFO = ior(U, UBLK_CMD_GET_DEV_INFO, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_ADD_DEV = iowr(U, UBLK_CMD_ADD_DEV, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_DEL_DEV = iowr(U, UBLK_CMD_DEL_DEV, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_START_DEV = iowr(U, UBLK_CMD_START_DEV, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_STOP_DEV = iowr(U, UBLK_CMD_STOP_DEV, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_SET_PARAMS = iowr(U, UBLK_CMD_SET_PARAMS, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_GET_PARAMS = ior(U, UBLK_CMD_GET_PARAMS, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_START_USER_RECOVERY = iowr(U, UBLK_CMD_START_USER_RECOVERY, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_END_USER_RECOVERY = iowr(U, UBLK_CMD_END_USER_RECOVERY, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_GET_DEV_INFO2 = ior(U, UBLK_CMD_GET_DEV_INFO2, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_GET_FEATURES = ior(U, 0x13, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_DEL_DEV_ASYNC = ior(U, 0x14, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_UPDATE_SIZE = iowr(U, 0x15, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_QUIESCE_DEV = iowr(U, 0x16, ublksrv_ctrl_cmd.size);
export const UBLK_U_CMD_TRY_STOP_DEV = iowr(U, 0x17, ublksrv_ctrl_cmd.size);
/** addr and len describe a `ublk_shmem_buf_reg`. A result of 0 or more is the index that the kernel gave the buffer. */
export const UBLK_U_CMD_REG_BUF = iowr(U, 0x18, ublksrv_ctrl_cmd.size);
/** data[0] is the index that UBLK_U_CMD_REG_BUF returned. */
export const UBLK_U_CMD_UNREG_BUF = iowr(U, 0x19, ublksrv_ctrl_cmd.size);

/** The number of bytes that UBLK_U_CMD_GET_FEATURES writes. */
export const UBLK_FEATURES_LEN = 8;

// The numbers of I/O commands from before ioctl encoding.
export const UBLK_IO_FETCH_REQ = 0x20;
export const UBLK_IO_COMMIT_AND_FETCH_REQ = 0x21;
export const UBLK_IO_NEED_GET_DATA = 0x22;

export const UBLK_U_IO_FETCH_REQ = iowr(U, UBLK_IO_FETCH_REQ, ublksrv_io_cmd.size);
export const UBLK_U_IO_COMMIT_AND_FETCH_REQ = iowr(U, UBLK_IO_COMMIT_AND_FETCH_REQ, ublksrv_io_cmd.size);
export const UBLK_U_IO_NEED_GET_DATA = iowr(U, UBLK_IO_NEED_GET_DATA, ublksrv_io_cmd.size);
export const UBLK_U_IO_REGISTER_IO_BUF = iowr(U, 0x23, ublksrv_io_cmd.size);
export const UBLK_U_IO_UNREGISTER_IO_BUF = iowr(U, 0x24, ublksrv_io_cmd.size);

/** The result is 0 or -errno. */
export const UBLK_U_IO_PREP_IO_CMDS = iowr(U, 0x25, ublk_batch_io.size);
/** The result is the number of bytes of the element buffer that were handled, which may be fewer than were given. */
export const UBLK_U_IO_COMMIT_IO_CMDS = iowr(U, 0x26, ublk_batch_io.size);
/** Needs IORING_URING_CMD_MULTISHOT and a group of provided buffers, into which the driver writes 16-bit tags. */
export const UBLK_U_IO_FETCH_IO_CMDS = iowr(U, 0x27, ublk_batch_io.size);
