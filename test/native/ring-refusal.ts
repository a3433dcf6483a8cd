/** Whether a test can have rings here. A container may not allow io_uring. */
import { Ring } from '../../src/native/ring/ring.ts';
import { isRingRefusal } from '../../src/native/ring/setup-failure.ts';

/** Returns the reason to skip tests that need a ring, or false. */
export function ringRefusal(): string | false {
  try {
    new Ring(4, 8).close();
    return false;
  } catch (error) {
    if (isRingRefusal(error)) return 'io_uring is not allowed here';
    throw error;
  }
}
