/** The budgets of start-up and memory, and the figures that the measuring scripts print. Pure. */

/** A share of what bare Node takes on the same machine, which is measured between the runs. */
const NODE_MS = 25;
export const BUDGETS = {
  list: 75 / NODE_MS,
  features: 75 / NODE_MS,
  add: 200 / NODE_MS,
  /** The memory of a server of null with two queues of depth 128, after I/O. */
  serverMb: 40,
  /** The memory of a server of ram.ts beyond its disk, after I/O. */
  handlersMb: 45,
  /** Growth over a million requests. The collector and the JIT may move this much; a leak is more. */
  growthMb: 1,
} as const;

export interface Figure {
  readonly what: string;
  /** null: the figure is printed and not judged. */
  readonly budget: number | null;
  readonly figure: number;
  readonly unit: 'x node' | 'MB' | 'devices';
  /** A budget is what there may be at most, unless it is what there must be at least. */
  readonly least?: true;
  readonly note: string;
}

export function isFigure(value: unknown): value is Figure {
  return typeof value === 'object' && value !== null && 'figure' in value && 'unit' in value;
}

export function kept({ budget, figure, least }: Figure): boolean {
  return budget === null || (least === true ? figure >= budget : figure <= budget);
}
