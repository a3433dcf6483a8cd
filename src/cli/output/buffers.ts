import type { RegisteredBuffer } from '../../device/buffers.ts';
import type { Views } from './views.ts';
import { formatSize } from '../../sizes.ts';
import { escapeControls } from '../../text/escape.ts';
import { styles } from './styles.ts';

/** A buffer that was just registered. `path` is the file that a client opens to map the same memory. */
export function bufferViews(device: number, buffer: RegisteredBuffer): Views {
  const access = buffer.read_only ? 'read-only' : 'read-write';
  return {
    json: { device, buffer },
    kublk: () => `buf index ${buffer.index}: len ${buffer.len} ${access} path ${escapeControls(buffer.path)}\n`,
    table: () =>
      `device ${device} buffer ${styles.heading(String(buffer.index))}: ${formatSize(buffer.len)} ${access}\n` +
      `  ${styles.dim('clients map:')} ${styles.path(escapeControls(buffer.path))}\n`,
  };
}
