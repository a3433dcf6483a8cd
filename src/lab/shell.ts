import type { Duplex } from 'node:stream';
import { labError } from './errors.ts';
import { type Session, type SessionOptions, runSession } from './session.ts';
import { terminalEnvironment } from './terminal-environment.ts';

/** Ctrl-] leaves a guest that hangs, as in telnet and virsh. */
const ESCAPE_KEY = 0x1d;

export interface ShellOptions extends Omit<SessionOptions, 'command'> {
  /** Default: a login shell. */
  readonly command?: readonly string[] | undefined;
  readonly terminal?: Terminal | undefined;
}

/** The part of a process's stdin and stdout that a shell needs. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** Connects the user's terminal to a shell in a guest until the shell exits. */
export async function guestShell(options: ShellOptions = {}): Promise<{ exitCode: number }> {
  const terminal = options.terminal ?? { input: process.stdin, output: process.stdout };
  if (!terminal.input.isTTY || !terminal.output.isTTY) {
    throw labError('a lab shell needs a terminal', { code: 'ENOTTY', hint: 'use `ublkts lab run -- COMMAND`' });
  }
  const escape = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, escape.signal]) : escape.signal;
  const session: SessionOptions = {
    ...options,
    signal,
    command: options.command ?? ['bash', '--login'],
    environment: { ...terminalEnvironment(), ...options.environment },
  };
  const exitCode = await runSession(session, [{ name: 'terminal', kind: 'terminal' }], (guest) =>
    connect(guest, terminal, () => escape.abort(labError('left the lab shell by Ctrl-]', { code: 'ESCAPED' }))),
  );
  return { exitCode };
}

async function connect(session: Session, terminal: Terminal, onEscape: () => void): Promise<void> {
  const { input, output } = terminal;
  const keyboard = session.channel('terminal');
  const onKeys = (keys: Buffer): void => {
    if (keys.includes(ESCAPE_KEY)) onEscape();
    else keyboard.write(keys);
  };
  const stopResizing = followSize(session.channel('control'), output);
  input.setRawMode(true);
  input.on('data', onKeys);
  input.resume();
  try {
    for await (const chunk of session.read('terminal')) output.write(chunk);
  } finally {
    stopResizing();
    input.off('data', onKeys);
    input.setRawMode(false);
    input.pause();
  }
}

/** Tells the guest how large the terminal is, now and after every change. */
function followSize(control: Duplex, output: NodeJS.WriteStream): () => void {
  const tell = (): void => void control.write(`size ${output.rows} ${output.columns}\n`);
  tell();
  output.on('resize', tell);
  return () => void output.off('resize', tell);
}
