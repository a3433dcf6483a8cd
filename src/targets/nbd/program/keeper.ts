/**
 * Keeps the device's program running: starts it, starts it again with growing pauses when it ends while the device is
 * served, and ends it with the device. It runs on the server's main thread. The queue threads see a lost connection, and
 * make it again (link.ts).
 */
import { mkdirSync, rmSync } from 'node:fs';
import { writeIdentity } from '../../../program/identity.ts';
import { endLeftOver } from '../../../program/left-over.ts';
import { changing, removeFile } from '../../../record/run-files.ts';
import { joinWords } from '../../../text/shell-words.ts';
import { serverLog } from '../../log.ts';
import { Backoff } from '../backoff.ts';
import type { Program } from './command.ts';
import { explained } from './last-words.ts';
import { type StartedProgram, startProgram, untilListening } from './start.ts';

/** A program that has run for at least this time counts as started well. */
const GOOD_MS = 2_000;
/** How often the log repeats the same reason for which the program ends. */
const REMIND_MS = 60_000;

/** Where the program of a device is kept. */
export interface ProgramPlace {
  readonly device: number;
  /** The folder of its socket and its process id. */
  readonly folder: string;
  /** The file to which its output is appended. */
  readonly log: string;
}

export class ProgramKeeper {
  private readonly program: Program;
  private readonly place: ProgramPlace;
  private readonly first: StartedProgram;
  private running: StartedProgram;
  private startedAt = 0;
  private readonly backoff = new Backoff();
  private retry: NodeJS.Timeout | undefined;
  private saidReason = '';
  private saidAt = 0;
  private isEnding = false;

  /** Resolves when the program listens on the socket in `folder`, which is made or emptied first. */
  static async start(program: Program, place: ProgramPlace): Promise<ProgramKeeper> {
    const { folder } = place;
    await endLeftOver(folder);
    removeFile(folder);
    changing(folder, () => mkdirSync(folder, { mode: 0o700 }));
    const keeper = new ProgramKeeper(program, place);
    try {
      writeIdentity(folder, keeper.running);
      await untilListening(program, keeper.running, folder);
    } catch (error) {
      await keeper.endRunning();
      throw error;
    }
    keeper.watch();
    return keeper;
  }

  private constructor(program: Program, place: ProgramPlace) {
    this.program = program;
    this.place = place;
    this.first = this.spawn();
    this.running = this.first;
  }

  /** The reason why the device cannot be served, when a connection has failed with `error` before the device was ready. */
  explain(error: unknown): Promise<unknown> {
    return explained(this.program, this.first, this.place.folder, error);
  }

  /** Ends the program. Resolves when it has ended, or does not die: the log says so then. */
  async end(): Promise<void> {
    this.isEnding = true;
    clearTimeout(this.retry);
    await this.endRunning();
  }

  private spawn(): StartedProgram {
    this.startedAt = performance.now();
    const { folder, log } = this.place;
    return startProgram(this.program, folder, log, (message) => this.write(message));
  }

  /**
   * Starts the program again. When that fails, for example because the disk is full, it is tried again later, and the
   * device stays. A program whose process id cannot be written down is ended at once: the next server of the device
   * could not find it.
   */
  private startAgain(): void {
    try {
      this.running = this.spawn();
    } catch (error) {
      this.say(`cannot be started: ${messageOf(error)}; it is tried again`);
      this.retryLater();
      return;
    }
    this.watch();
    try {
      writeIdentity(this.place.folder, this.running);
    } catch (error) {
      this.say(`is ended, because its id cannot be written down: ${messageOf(error)}`);
      void this.running.end();
    }
  }

  private watch(): void {
    void this.running.ended.then((how) => this.hasEnded(how));
  }

  private hasEnded(how: string): void {
    if (this.isEnding) return;
    if (performance.now() - this.startedAt >= GOOD_MS) this.backoff.reset();
    this.say(`${how}; it is started again`);
    this.retryLater();
  }

  private retryLater(): void {
    this.retry = setTimeout(() => this.startAgain(), this.backoff.next());
  }

  private say(how: string): void {
    const now = performance.now();
    if (how === this.saidReason && now - this.saidAt < REMIND_MS) return;
    this.saidReason = how;
    this.saidAt = now;
    this.write(`the program \`${joinWords(this.program.words)}\` (pid ${this.running.pid}) ${how}`);
  }

  /** A resident server has one log for all of its devices. */
  private write(message: string): void {
    serverLog(`device ${this.place.device}: ${message}`);
  }

  /** The folder stays with a program that does not die, so that the device's next server finds it. */
  private async endRunning(): Promise<void> {
    if (await this.running.end()) rmSync(this.place.folder, { force: true, recursive: true });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
