import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { labError, missingTool } from './errors.ts';
import { type Machine, QEMU, QEMU_PACKAGE, qemuArguments } from './qemu.ts';
import { NOT_STARTED, tiedToThisProcess } from '../native/tied.ts';

/** A running QEMU. It dies with this process, however this process ends. */
export interface Guest {
  readonly channel: (name: string) => Duplex;
  /** Rejects when QEMU ends by itself, with what the guest's kernel said last. Never resolves. */
  readonly died: Promise<never>;
  /** The last lines of the kernel's console. */
  readonly lastWords: () => string;
  /** Ends QEMU at once; what it has written to a channel can still be read. */
  readonly kill: () => void;
}

export function startGuest(machine: Machine): Guest {
  // It has its own process group, so that Ctrl-C reaches this process only, which then decides.
  const qemu = spawn(...tiedToThisProcess('KILL', QEMU, qemuArguments(machine)), {
    stdio: ['ignore', 'ignore', 'pipe', ...machine.channels.map(() => 'pipe' as const)],
    detached: true,
  });
  const kernelConsole = new LastLines();
  const complaints = new LastLines();
  qemu.stderr?.on('data', (chunk: Buffer) => complaints.add(chunk));

  const channels = new Map<string, Duplex>();
  machine.channels.forEach(({ name, kind }, index) => {
    // Node makes each extra 'pipe' a connected socket pair, which is what QEMU's socket backend wants.
    const stream = qemu.stdio[index + 3] as unknown as Duplex;
    stream.on('error', ignoreReset);
    if (kind === 'kernel-console') stream.on('data', (chunk: Buffer) => kernelConsole.add(chunk));
    channels.set(name, stream);
  });

  const lastWords = () => [complaints.text(), kernelConsole.text()].filter(Boolean).join('\n');
  const died = new Promise<never>((_resolve, reject) => {
    qemu.on('error', () => reject(missingTool('setpriv', 'util-linux')));
    qemu.on('close', (code, signal) => reject(whyItDied(code, signal, lastWords())));
  });
  // Whoever kills the guest does not wait for its death.
  died.catch(() => {});

  return {
    channel: (name) => {
      const stream = channels.get(name);
      if (!stream) throw new RangeError(`no channel ${name}`);
      return stream;
    },
    died,
    lastWords,
    kill: () => void qemu.kill('SIGKILL'),
  };
}

function whyItDied(code: number | null, signal: string | null, lastWords: string): Error {
  if (NOT_STARTED.test(lastWords)) return missingTool(QEMU, QEMU_PACKAGE);
  if (lastWords.includes(PANIC)) {
    return labError(`the lab guest's kernel panicked\n${lastWords}`, { code: 'GUEST_PANIC' });
  }
  return labError(`the lab guest ended unexpectedly (QEMU: ${signal ?? `exit code ${code}`})\n${lastWords}`, {
    code: 'GUEST_DIED',
  });
}

/** When QEMU ends, it resets the channels that it has not read to their end. `died` reports the end itself. */
function ignoreReset(): void {}

const PANIC = 'Kernel panic';
const SHOWN_LINES = 30;

/** Keeps the last lines of a text. Of a kernel panic it keeps the beginning, because a long trace follows. */
class LastLines {
  #bytes = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]).subarray(-16_384);
  }

  text(): string {
    // SeaBIOS clears the screen of the serial console.
    // oxlint-disable-next-line no-control-regex
    const printable = this.#bytes.toString('utf8').replace(/\u001b\[[\d;?=]*[a-zA-Z]|\u001bc|\r/g, '');
    const lines = printable.trim().split('\n');
    const panic = lines.findIndex((line) => line.includes(PANIC));
    return lines
      .slice(panic >= 0 ? panic : -SHOWN_LINES)
      .slice(0, SHOWN_LINES)
      .join('\n');
  }
}
