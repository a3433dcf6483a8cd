/** The descriptors that a hand is started with: the ring, and the control device that its entries name. */
export const HAND_RING_FD = 3;
export const HAND_CONTROL_FD = 4;
