/** The words that start a command line: commands of one word, and topics such as `lab` with their second words. */
import type { CommandDoc } from './model.ts';

/** Both spellings of each command, and topics once. */
export function firstWords(commands: readonly CommandDoc[]): string[] {
  const words = commands.flatMap(({ name, aliases }) => [name, ...aliases].map((typed) => typed.split(' ')[0] ?? ''));
  return [...new Set(words)].sort();
}

export function topics(commands: readonly CommandDoc[]): Map<string, CommandDoc[]> {
  const found = new Map<string, CommandDoc[]>();
  for (const command of commands) {
    const [topic = '', second] = command.name.split(' ');
    if (second !== undefined) found.set(topic, [...(found.get(topic) ?? []), command]);
  }
  return found;
}

/** The second words of the commands of a topic. */
export function secondWords(members: readonly CommandDoc[]): string[] {
  return members.map(({ name }) => name.split(' ')[1] ?? '');
}

/** The names of a command: its own and its aliases. */
export function spellings({ name, aliases }: CommandDoc): string[] {
  return [name, ...aliases];
}

/** `-n` and `--number`. */
export function flagWords(char: string | undefined, name: string): string[] {
  return char === undefined ? [`--${name}`] : [`-${char}`, `--${name}`];
}
