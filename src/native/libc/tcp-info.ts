/** Reads the kernel's report on a TCP connection (TCP_INFO, tcp(7)), which has the layout of struct tcp_info in <linux/tcp.h>. */
import { IPPROTO_TCP, TCP_INFO } from '../uapi/socket.ts';
import { callInt } from './ffi.ts';

/** The parts of the report that show whether the other end still answers. */
export interface TcpSigns {
  /** Milliseconds since the last acknowledgement or data came. */
  readonly heardMs: number;
  /** How often data was sent again since the last acknowledgement of something new. */
  readonly retransmits: number;
  /** How many probes, of an idle connection or of a closed window, have had no answer. */
  readonly probes: number;
  /** How many bytes the other end would take now. */
  readonly window: number;
}

/** Its length up to the members that are read. Linux has had them since 5.4. */
const TCP_INFO_BYTES = 232;

/** null: the socket is not one of TCP. */
export function tcpSignsOf(fd: number): TcpSigns | null {
  const info = new Uint8Array(TCP_INFO_BYTES);
  const length = new Uint8Array(Uint32Array.of(info.length).buffer);
  if (callInt('getsockopt', fd, IPPROTO_TCP, TCP_INFO, info, length).value < 0) return null;
  const view = new DataView(info.buffer);
  const sinceData = view.getUint32(52, true);
  const sinceAcknowledgement = view.getUint32(56, true);
  return {
    heardMs: Math.min(sinceData, sinceAcknowledgement),
    retransmits: view.getUint8(2),
    probes: view.getUint8(3),
    window: view.getUint32(228, true),
  };
}
