import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { packagePath } from '../package-root.ts';
import { temporaryHome } from '../temporary-home.ts';
import { chooseAcceleration } from './acceleration.ts';
import { dependenciesDisk } from './dependencies.ts';
import { newEndMarker, untilMarker } from './end-marker.ts';
import { labError } from './errors.ts';
import { type Guest, startGuest } from './guest.ts';
import { ensureImage } from './image.ts';
import { BOOT_SCRIPT, packJob } from './job.ts';
import type { TaskOptions } from './progress.ts';
import { type Channel, qemuMajorVersion } from './qemu.ts';

export interface SessionOptions extends TaskOptions {
  /** Program and arguments, found in the guest's PATH; its working directory is the project's. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The built tree that the guest sees as /ublkts. Default: this package. */
  readonly projectRoot?: string | undefined;
  /** More files for the guest: absolute path to contents. */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** The size as QEMU reads it: `2G`, `512M`. */
  readonly memory?: string | undefined;
  readonly cpus?: number | undefined;
  /** Debian packages that the guest has in addition to those of every image. */
  readonly packages?: readonly string[] | undefined;
  /** Makes the clock count instructions, one per nanosecond, on one CPU or, with a number, on that many in turn. */
  readonly instructions?: boolean | number | undefined;
  /** Counted from when the command starts. No limit when undefined. */
  readonly timeoutSeconds?: number | undefined;
  /** Called when the guest has booted and the command starts. */
  readonly onStart?: (() => void) | undefined;
}

/** The host's end of a guest that runs a command. */
export interface Session {
  /** Everything that the guest sends on a channel, to its end. */
  readonly read: (channel: string) => AsyncIterable<Buffer>;
  readonly channel: (name: string) => Duplex;
}

/** Emulated and on a busy machine, booting takes ten times what it takes otherwise (3 s), and more with CPUs in turn. */
const BOOT_SECONDS = 240;

/**
 * Boots a guest with a command in it and returns the command's exit code when `serve`, which handles the channels, is
 * done too. Whatever happens, QEMU and the temporary files are gone afterwards.
 */
export async function runSession(
  options: SessionOptions,
  channels: readonly Channel[],
  serve: (session: Session) => Promise<void>,
): Promise<number> {
  const { signal } = options;
  const temporary = await mkdtemp(path.join(temporaryHome(), 'ublkts-lab-'));
  const endMarker = newEndMarker();
  let guest: Guest | undefined;
  let serving: Promise<void> | undefined;
  const deadlines = new Deadlines();
  try {
    guest = await bootGuest(options, channels, endMarker, temporary);
    const { died, channel } = guest;
    const session = { channel, read: (name: string) => readWhole(channel(name), endMarker, died) };
    deadlines.set(BOOT_SECONDS, () => bootTimeout(guest));
    const exitCode = readControl(channel('control'), () => {
      deadlines.set(options.timeoutSeconds, () => runTimeout(options));
      options.onStart?.();
      // QEMU has its files open, so they need no name any more.
      void rm(temporary, { recursive: true, force: true });
    });
    serving = serve(session);
    const done = Promise.all([exitCode, serving]);
    const [code] = await Promise.race([done, died, deadlines.passed, aborted(signal)]);
    return code;
  } finally {
    deadlines.clear();
    guest?.kill();
    // The channels end with QEMU, so this takes a moment only, unless someone does not read what the guest prints.
    await Promise.race([serving?.catch(() => {}), delay(1000, undefined, { ref: false })]);
    await rm(temporary, { recursive: true, force: true });
  }
}

async function bootGuest(
  options: SessionOptions,
  channels: readonly Channel[],
  endMarker: Buffer,
  temporary: string,
): Promise<Guest> {
  const image = await ensureImage(options);
  const qemuMajor = await qemuMajorVersion();
  const acceleration = await chooseAcceleration(image, qemuMajor, options);
  const projectRoot = options.projectRoot ?? packagePath();
  const { command, environment = {}, files = {} } = options;
  const [job, dependencies] = await Promise.all([
    packJob({ command, environment, files, endMarker, projectRoot }, temporary, options.signal),
    dependenciesDisk(projectRoot, options),
  ]);
  const disks = dependencies === undefined ? [job] : [job, dependencies];
  options.signal?.throwIfAborted();
  options.onProgress?.('booting the lab');
  return startGuest({
    acceleration,
    qemuMajor,
    memory: options.memory ?? '2G',
    cpus: options.cpus ?? 2,
    instructions: options.instructions ?? false,
    kernel: image.kernel,
    root: image.root,
    disks,
    channels: [{ name: 'console', kind: 'kernel-console' }, { name: 'control', kind: 'port' }, ...channels],
    bootScript: BOOT_SCRIPT,
  });
}

/** A stream that ends before its marker ends because QEMU did, and that error is reported. */
async function* readWhole(stream: Duplex, endMarker: Buffer, died: Promise<never>): AsyncGenerator<Buffer> {
  const whole = yield* untilMarker(stream, endMarker);
  if (!whole) await died;
}

/** Resolves with the command's exit code. */
async function readControl(control: Duplex, onReady: () => void): Promise<number> {
  for await (const line of createInterface({ input: control })) {
    if (line === 'ready') onReady();
    const exitCode = /^exit (\d+)$/.exec(line)?.[1];
    if (exitCode !== undefined) return Number(exitCode);
  }
  // QEMU is gone, and `died` reports that.
  return new Promise(() => {});
}

async function aborted(signal: AbortSignal | undefined): Promise<never> {
  if (!signal) return new Promise(() => {});
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

/** Keeps one deadline at a time. Each replaces the one before. */
class Deadlines {
  #timer: NodeJS.Timeout | undefined;
  #reject: (reason: Error) => void = () => {};
  readonly passed = new Promise<never>((_resolve, reject) => {
    this.#reject = reject;
  });

  set(seconds: number | undefined, reason: () => Error): void {
    this.clear();
    if (seconds !== undefined) this.#timer = setTimeout(() => this.#reject(reason()), seconds * 1000);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

function bootTimeout(guest: Guest | undefined): Error {
  return labError(
    `the lab guest did not boot within ${BOOT_SECONDS} s; its console said last:\n${guest?.lastWords()}`,
    {
      code: 'TIMEOUT',
    },
  );
}

function runTimeout({ command, timeoutSeconds }: SessionOptions): Error {
  return labError(`${command.join(' ')} did not end within ${timeoutSeconds} s in the lab`, {
    code: 'TIMEOUT',
    hint: 'give it longer with --timeout SECONDS',
  });
}
