import type { Server } from './curves.ts';

/** Takes a measured point of a curve: what varied, who served, and the instructions per request. */
export type Report = (value: number, server: Server, cost: number) => void;
