/** One thing that was looked at, and what it means. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  /** The finding. */
  readonly detail: string;
  /** Says what to do; null when there is nothing to do. */
  readonly hint: string | null;
}

export function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail, hint: null };
}

/** ublkts works, but not all of it, or not well. */
export function warn(name: string, detail: string, hint: string): Check {
  return { name, status: 'warn', detail, hint };
}

/** ublkts cannot work. */
export function fail(name: string, detail: string, hint: string): Check {
  return { name, status: 'fail', detail, hint };
}
