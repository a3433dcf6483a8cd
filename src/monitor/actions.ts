/**
 * Does what a key asked for, in a process of its own: control commands wait for queues to drain and servers to leave,
 * and the picture must not stand still meanwhile.
 */
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { packagePath } from '../package-root.ts';
import type { Command, Message } from './screen.ts';

export async function runCommand(command: Command): Promise<Message> {
  const { execa } = await import('execa');
  const child = execa(process.execPath, [packagePath('bin/run.js'), ...wordsOf(command), '--json'], {
    reject: false,
    stdin: 'ignore',
    // Who leaves the monitor meanwhile does not wait for it, and does not stop it half-way.
    cleanup: false,
  });
  child.nodeChildProcess.unref();
  for (const pipe of [child.stdout, child.stderr]) if (pipe instanceof Socket) pipe.unref();
  const { stdout, stderr, failed } = await child;
  if (!failed) return { text: doneText(command), tone: 'good' };
  return { text: `${wordsOf(command).join(' ')}: ${errorOf(stdout) ?? lastLine(stderr)}`, tone: 'bad' };
}

/** While it is under way. */
export function doingText(command: Command): string {
  return `${TEXTS[command.kind].doing} ${objectOf(command)} ...`;
}

function doneText(command: Command): string {
  return `${TEXTS[command.kind].done} ${objectOf(command)}`;
}

const TEXTS = {
  delete: { doing: 'deleting', done: 'deleted' },
  recover: { doing: 'recovering', done: 'recovered' },
  register: { doing: 'registering', done: 'registered' },
  unregister: { doing: 'unregistering', done: 'unregistered' },
} as const;

function objectOf(command: Command): string {
  if (command.kind === 'register') return command.path;
  if (command.kind === 'unregister') return `buffer ${command.index} of ublkb${command.device}`;
  return `ublkb${command.device}`;
}

function wordsOf(command: Command): string[] {
  const device = ['-n', String(command.device)];
  if (command.kind === 'register') {
    return ['reg-buf', ...device, resolve(command.path), ...(command.readOnly ? ['--rdonly_shmem_buf'] : [])];
  }
  if (command.kind === 'unregister') return ['unreg-buf', ...device, String(command.index)];
  return [command.kind === 'delete' ? 'del' : 'recover', ...device];
}

/** The message and what to do about it, out of what `--json` printed. */
function errorOf(stdout: string): string | null {
  try {
    const { error, failed } = JSON.parse(stdout) as { error?: Failure; failed?: Failure[] };
    const failure = error ?? failed?.[0];
    if (failure === undefined) return null;
    return failure.hint === null || failure.hint === undefined
      ? failure.message
      : `${failure.message} (${failure.hint})`;
  } catch {
    return null;
  }
}

interface Failure {
  readonly message: string;
  readonly hint?: string | null;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? 'it failed and did not say why';
}
