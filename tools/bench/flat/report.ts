import type { Server } from './curves.ts';

/** Where a curve's measuring hands over a point: what varied, who served, instructions of a request. */
export type Report = (value: number, server: Server, cost: number) => void;
