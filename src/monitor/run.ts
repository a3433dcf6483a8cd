/** The monitor on a terminal, from the first frame until someone leaves it. */
import { hostname, release } from 'node:os';
import { glyphsFor } from './drawing/glyphs.ts';
import type { SampleSource } from '../watch/sampling/sample.ts';
import { Sampler } from '../watch/sampling/sampler.ts';
import type { Question } from './screen.ts';
import { Watch } from '../watch/watch.ts';

export interface MonitorOptions {
  /** Only this device. */
  readonly device?: number | undefined;
  readonly intervalMs: number;
  /** No key changes anything but the screen. */
  readonly readOnly: boolean;
  /** Ends it from outside. */
  readonly signal?: AbortSignal | undefined;
  /** Asked before it is left, when leaving ends more than the monitor. */
  readonly farewell?: Question | undefined;
  /** Default: this machine. */
  readonly source?: SampleSource | undefined;
}

/** Both ends must be a terminal: Ink reads keys, and never ends on an input that has. */
export function canShowMonitor(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** Resolves when it was left, by a key or by `signal`; the terminal is as it was. */
export async function runMonitor(options: MonitorOptions): Promise<void> {
  const { device, intervalMs, readOnly, signal, farewell, source } = options;
  // React's development build is three times slower and keeps a record of every frame.
  process.env['NODE_ENV'] ??= 'production';
  const watch = new Watch(source ?? new Sampler(), { device, intervalMs });
  try {
    const [{ render }, { createElement }, { App }] = await Promise.all([
      import('ink'),
      import('react'),
      import('./app.tsx'),
    ]);
    // It may have ended while all that was loaded.
    if (signal?.aborted === true) return;
    // `7.3.4+deb13-cloud-amd64` is more than a header has room for.
    const host = `${hostname()}, Linux ${release().replace(/[^\d.].*$/, '')}`;
    const glyphs = glyphsFor(process.env);
    const app = createElement(App, { watch, device, intervalMs, readOnly, glyphs, host, farewell: farewell ?? null });
    // Ink would also look for signs of a CI and then draw nothing; whoever has a terminal gets a picture.
    const screen = render(app, { alternateScreen: true, incrementalRendering: true, interactive: true });
    const leave = () => screen.unmount();
    signal?.addEventListener('abort', leave, { once: true });
    // Node prints what nobody caught before it exits: not to a screen that goes away then.
    process.on('uncaughtExceptionMonitor', leave);
    watch.start();
    try {
      await Promise.race([screen.waitUntilExit(), watch.failed]);
    } finally {
      signal?.removeEventListener('abort', leave);
      process.off('uncaughtExceptionMonitor', leave);
      screen.unmount();
    }
  } finally {
    watch.stop();
  }
}
