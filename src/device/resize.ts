/** `update_size`: a new size for a live device (UBLK_F_UPDATE_SIZE). */
import { withControl } from '../control/channel.ts';
import { getParams, updateSize as update } from '../control/commands.ts';
import { usageError } from '../errors.ts';

export async function updateSize(id: number, bytes: number): Promise<void> {
  withControl((channel) => {
    const block = 2 ** getParams(channel, id).basic.logical_bs_shift;
    if (bytes % block !== 0) {
      throw usageError(`${bytes} bytes are not a whole number of device ${id}'s blocks`, `give a multiple of ${block}`);
    }
    update(channel, id, bytes / 512);
  });
}
