/** The monitor on a terminal, from the first frame until someone leaves it. */
import { hostname, release } from 'node:os';
import type { SampleSource } from '../watch/sampling/sample.ts';
import { Sampler } from '../watch/sampling/sampler.ts';
import { Watch } from '../watch/watch.ts';
import { Actions, type Perform } from './actions.ts';
import { glyphsFor } from './drawing/glyphs.ts';
import { finishActions } from './finish.ts';
import type { Question } from './screen.ts';

export interface MonitorOptions {
  /** Shows only this device. */
  readonly device?: number | undefined;
  readonly intervalMs: number;
  /** No key changes a device. */
  readonly readOnly: boolean;
  /** Ends the monitor from outside. */
  readonly signal?: AbortSignal | undefined;
  /** Asked before the monitor is left, when leaving ends more than the monitor. */
  readonly farewell?: Question | undefined;
  /** Where samples come from; this machine by default. */
  readonly source?: SampleSource | undefined;
  /** How actions are done; with the library by default. */
  readonly perform?: Perform | undefined;
}

/**
 * Both ends must be a terminal: Ink reads keys, and would never end on another input. A terminal that cannot move its cursor, such as
 * a shell within Emacs, calls itself dumb.
 */
export function canShowMonitor(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb';
}

/**
 * Resolves when the monitor was left, by a key, a signal of the process or `signal`, the terminal is as it was, and the
 * actions that were confirmed are done.
 */
export async function runMonitor(options: MonitorOptions): Promise<void> {
  const { device, intervalMs, source, perform } = options;
  // React's development build is three times slower and keeps a record of every frame.
  process.env['NODE_ENV'] ??= 'production';
  const watch = await Watch.open(source ?? new Sampler(), { device, intervalMs });
  const actions = new Actions(perform);
  let ended: NodeJS.Signals | undefined;
  try {
    ended = await showScreen(watch, actions, options);
  } finally {
    watch.stop();
    await finishActions(actions);
  }
  // The process ends as if it had never caught the signal. SIGINT is Ctrl-C, which is a way to leave like any other.
  if (ended !== undefined && ended !== 'SIGINT') process.kill(process.pid, ended);
}

/** Moves the cursor to the upper left corner. */
const HOME = '\u001b[H';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Returns the signal of the process that ended it, if one did. */
async function showScreen(
  watch: Watch,
  actions: Actions,
  options: MonitorOptions,
): Promise<NodeJS.Signals | undefined> {
  const { device, intervalMs, readOnly, signal, farewell = null } = options;
  const [{ render }, { createElement }, { App }] = await Promise.all([
    import('ink'),
    import('react'),
    import('./app.tsx'),
  ]);
  // The monitor may have been ended while all that was loaded.
  if (signal?.aborted === true) return undefined;
  // The whole release, such as `7.3.4+deb13-cloud-amd64`, is too long for the header.
  const host = `${hostname()}, Linux ${release().replace(/[^\d.].*$/, '')}`;
  const glyphs = glyphsFor(process.env);
  const app = createElement(App, { watch, actions, device, intervalMs, readOnly, glyphs, host, farewell });
  // Ink does so too, but after its first frame: a key pressed before that would be echoed into it.
  process.stdin.setRawMode(true);
  // `interactive`: Ink would otherwise look for signs of a CI, and draw nothing there.
  const screen = render(null, { alternateScreen: true, incrementalRendering: true, interactive: true });
  // The cursor is still where the shell had it: behind keys that came early, for example, which would move the first line.
  process.stdout.write(HOME);
  screen.rerender(app);
  const leave = () => screen.unmount();
  let ended: NodeJS.Signals | undefined;
  const end = (name: NodeJS.Signals) => {
    ended = name;
    leave();
  };
  for (const name of SIGNALS) process.on(name, end);
  signal?.addEventListener('abort', leave, { once: true });
  // Node prints an uncaught error before it exits: it must not go to the alternate screen.
  process.on('uncaughtExceptionMonitor', leave);
  watch.start();
  try {
    await Promise.race([screen.waitUntilExit(), watch.failed]);
  } finally {
    signal?.removeEventListener('abort', leave);
    process.off('uncaughtExceptionMonitor', leave);
    for (const name of SIGNALS) process.off(name, end);
    screen.unmount();
    if (process.stdin.isRaw) process.stdin.setRawMode(false);
  }
  return ended;
}
