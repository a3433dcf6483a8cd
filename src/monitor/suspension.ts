/**
 * Ctrl-Z, SIGTSTP and SIGCONT: the shell gets its terminal back as it was, and `fg` shows the monitor again. A shell that
 * continues a program has set the terminal to its own modes before, in which no key would reach the monitor.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { useApp } from 'ink';
import { useLayoutEffect, useMemo } from 'react';

/** The time in which the process is stopped, if it is. */
const STOP_MS = 50;

/** Returns what Ctrl-Z does: in raw mode it is a key, and no signal comes of it. */
export function useSuspension(): () => void {
  const { suspendTerminal } = useApp();
  const suspension = useMemo(() => new Suspension(suspendTerminal), [suspendTerminal]);
  // Whoever sees the first screen may send SIGTSTP: a passive effect would catch it only some time after.
  useLayoutEffect(() => {
    suspension.begin();
    return () => suspension.end();
  }, [suspension]);
  return suspension.suspend;
}

class Suspension {
  /** Lets go of the terminal, and takes it again and draws everything when the callback is done. */
  readonly #without: (callback: () => Promise<void>) => Promise<void>;
  #isUnderWay = false;

  constructor(without: (callback: () => Promise<void>) => Promise<void>) {
    this.#without = without;
  }

  begin(): void {
    process.on('SIGTSTP', this.#asked);
    process.on('SIGCONT', this.#continued);
  }

  end(): void {
    process.off('SIGTSTP', this.#asked);
    process.off('SIGCONT', this.#continued);
  }

  /** Stops the whole process group, as a terminal does: the shell waits for the group's first process, which may be a script. */
  readonly suspend = (): void => void this.#once(() => this.#stop(0));

  /** Whoever has sent SIGTSTP has chosen which processes stop. */
  readonly #asked = (): void => void this.#once(() => this.#stop(process.pid));

  /** After SIGSTOP, of which no program is told. After `suspend` this is under way already. */
  readonly #continued = (): void => void this.#once(() => Promise.resolve());

  async #once(callback: () => Promise<void>): Promise<void> {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    try {
      await this.#without(callback);
    } finally {
      this.#isUnderWay = false;
    }
  }

  async #stop(pid: number): Promise<void> {
    process.off('SIGTSTP', this.#asked);
    // Not SIGSTOP: the kernel ignores SIGTSTP where there is no shell that could continue the process.
    process.kill(pid, 'SIGTSTP');
    await sleep(STOP_MS);
    process.on('SIGTSTP', this.#asked);
  }
}
