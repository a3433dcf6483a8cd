/** What a queue thread and its TLS thread say to each other. */
import type { WireError } from '../../../protocol/error-wire.ts';
import type { TunnelRequest } from './tunnel.ts';

/** To the TLS thread. `id` names the tunnel in both directions. */
export interface OpenTunnel extends TunnelRequest {
  readonly id: number;
}

/** To the TLS thread: ends a tunnel, with what it has not sent yet. */
export interface DropTunnel {
  readonly drop: number;
}

/** From the TLS thread. */
export type TunnelMessage =
  | { readonly kind: 'open'; readonly id: number; readonly fd: number }
  | { readonly kind: 'refused'; readonly id: number; readonly error: WireError }
  /** A tunnel that was open has ended; `error` says why if TLS is to blame. */
  | { readonly kind: 'closed'; readonly id: number; readonly error: WireError | null };
