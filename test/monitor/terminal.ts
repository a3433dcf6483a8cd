/**
 * A program under a pseudo-terminal, and the screen that a person would see: rebuilt from the bytes, because a piece of
 * text that was written need not be on the screen any more.
 */
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { eastAsianWidth } from 'get-east-asian-width';

export const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly onData?: (data: string) => void;
}

export interface Exit {
  readonly exitCode: number;
  readonly signal?: number | undefined;
}

const ZERO_COLUMNS = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]$/u;

/** xterm's own table is that of Unicode 6, in which an emoji is one column wide; terminals of today give it two. */
const TODAYS_WIDTHS = {
  version: 'today',
  wcwidth: (code: number): 0 | 1 | 2 =>
    ZERO_COLUMNS.test(String.fromCodePoint(code)) ? 0 : eastAsianWidth(code) === 2 ? 2 : 1,
  /** Two bits of width, and one that says that the character joins the one before. */
  charProperties: (code: number, preceding: number): number => {
    const width = TODAYS_WIDTHS.wcwidth(code);
    const joins = width === 0 && preceding !== 0;
    return ((joins ? (preceding >> 1) & 3 : width) << 1) | (joins ? 1 : 0);
  },
};

const FRAME_BEGINS = '\u001b[?2026h';
const FRAME_ENDS = '\u001b[?2026l';

export class Terminal {
  readonly #pty: IPty;
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly exited: Promise<Exit>;
  /** Everything that was written, for what is not on the screen (modes, the cursor). */
  bytes = '';
  #held = '';

  constructor(words: readonly string[], { columns = 80, rows = 24, env = {}, onData }: TerminalOptions = {}) {
    const [file = '', ...args] = words;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000 });
    this.#terminal.unicode.register(TODAYS_WIDTHS);
    this.#terminal.unicode.activeVersion = TODAYS_WIDTHS.version;
    this.#pty = spawn(file, args, {
      cols: columns,
      rows,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '/root',
        TERM: 'xterm-256color',
        LANG: 'C.UTF-8',
        ...env,
      },
    });
    this.#pty.onData((data) => {
      this.bytes += data;
      this.#show(data);
      onData?.(data);
    });
    this.exited = new Promise((resolve) => this.#pty.onExit(resolve));
  }

  /** As terminals do that know synchronised output: never half a frame. */
  #show(data: string): void {
    this.#held += data;
    const begun = this.#held.lastIndexOf(FRAME_BEGINS);
    const whole = begun > this.#held.lastIndexOf(FRAME_ENDS) ? begun : this.#held.length;
    this.#terminal.write(this.#held.slice(0, whole));
    this.#held = this.#held.slice(whole);
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Is the alternate screen up? */
  get alternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** The rows of the screen, without the blanks at their ends. */
  async lines(): Promise<string[]> {
    // xterm parses in the background.
    await new Promise<void>((resolve) => this.#terminal.write('', resolve));
    const buffer = this.#terminal.buffer.active;
    return Array.from({ length: this.#terminal.rows }, (_, row) =>
      (buffer.getLine(buffer.baseY + row)?.translateToString(true) ?? '').trimEnd(),
    );
  }

  /**
   * The text of each row from one column to another, both counted as the terminal counts them: a character of two columns
   * takes two.
   */
  async columns(from: number, to: number): Promise<string[]> {
    await this.lines();
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: this.#terminal.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(false, from, to) ?? '',
    );
  }

  /** The terminal itself, with all that has come so far. */
  async see<Seen>(look: (terminal: InstanceType<typeof xterm.Terminal>) => Seen): Promise<Seen> {
    await this.lines();
    return look(this.#terminal);
  }

  async text(): Promise<string> {
    return (await this.lines()).join('\n');
  }

  /** Lines above the screen: what scrolling it left behind. */
  async scrolledLines(): Promise<number> {
    await this.lines();
    return this.#terminal.buffer.active.baseY;
  }

  get buffer(): InstanceType<typeof xterm.Terminal>['buffer']['active'] {
    return this.#terminal.buffer.active;
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** The screen, as soon as `there` is true of its text; an error with the last screen when it never is. */
  async until(there: RegExp | ((text: string) => boolean), timeoutMs = 10_000): Promise<string> {
    const matches = there instanceof RegExp ? (text: string) => there.test(text) : there;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const text = await this.text();
      if (matches(text)) return text;
      if (performance.now() > deadline) throw new Error(`the screen never showed ${String(there)}; it is\n${text}`);
      await sleep(20);
    }
  }

  async close(): Promise<void> {
    try {
      this.#pty.kill('SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await this.exited;
    this.#terminal.dispose();
  }
}
