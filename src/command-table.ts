/**
 * Every command by its words, with its module, which is loaded when it runs. oclif would find a command in its manifest,
 * but reads and sorts all of it first, twice (docs/decisions/0009); help, man page and completions are made from the
 * manifest, and test/cli/commands.test.ts compares the two.
 */
import type { RunnableCommand } from './cli/base-command.ts';
import type { FoundCommand } from './cli/dispatch/dispatch.ts';

type Load = () => Promise<{ readonly default: RunnableCommand }>;

const COMMANDS = {
  add: () => import('./commands/add.ts'),
  bench: () => import('./commands/bench.ts'),
  completion: () => import('./commands/completion.ts'),
  del: () => import('./commands/del.ts'),
  doctor: () => import('./commands/doctor.ts'),
  features: () => import('./commands/features.ts'),
  'lab:build': () => import('./commands/lab/build.ts'),
  'lab:run': () => import('./commands/lab/run.ts'),
  'lab:shell': () => import('./commands/lab/shell.ts'),
  list: () => import('./commands/list.ts'),
  metrics: () => import('./commands/metrics.ts'),
  monitor: () => import('./commands/monitor.ts'),
  quiesce: () => import('./commands/quiesce.ts'),
  recover: () => import('./commands/recover.ts'),
  'reg-buf': () => import('./commands/reg-buf.ts'),
  set_params: () => import('./commands/set_params.ts'),
  stop: () => import('./commands/stop.ts'),
  'unreg-buf': () => import('./commands/unreg-buf.ts'),
  update_size: () => import('./commands/update_size.ts'),
} as const satisfies Record<string, Load>;

type CommandId = keyof typeof COMMANDS;

const ALIASES: ReadonlyMap<string, CommandId> = new Map([
  ['ls', 'list'],
  ['reg_buf', 'reg-buf'],
  ['rm', 'del'],
  ['set-params', 'set_params'],
  ['top', 'monitor'],
  ['unreg_buf', 'unreg-buf'],
  ['update-size', 'update_size'],
]);

/** The longest leading run of words that names a command: `lab run` before `lab`. */
export function findCommand(argv: readonly string[]): FoundCommand | undefined {
  const flagAt = argv.findIndex((word) => word.startsWith('-'));
  const words = flagAt === -1 ? argv : argv.slice(0, flagAt);
  for (let length = Math.min(words.length, 2); length > 0; length--) {
    const id = commandId(words.slice(0, length).join(':'));
    if (id !== undefined) return { id, load: COMMANDS[id], rest: argv.slice(length) };
  }
  return undefined;
}

/** All that can stand where a command does. */
export function commandNames(): string[] {
  return [...Object.keys(COMMANDS), ...ALIASES.keys()];
}

function commandId(name: string): CommandId | undefined {
  return isCommandId(name) ? name : ALIASES.get(name);
}

function isCommandId(name: string): name is CommandId {
  return Object.hasOwn(COMMANDS, name);
}
