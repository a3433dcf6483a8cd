/** UBLK_MINORS (drivers/block/ublk_drv.c, not in a header): the driver has one minor number per device. */
export const UBLK_MINORS = 1 << 20;
