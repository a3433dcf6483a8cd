/** The words that start a command line: commands of one word, and topics such as `lab` with their second words. */
import type { CommandDoc, TopicDoc } from './model.ts';

/** Both spellings of each command, and topics once. */
export function firstWords(commands: readonly CommandDoc[]): string[] {
  const words = commands.flatMap(({ name, aliases }) => [name, ...aliases].map((typed) => typed.split(' ')[0] ?? ''));
  return [...new Set(words)].sort();
}

/** The second words of the commands of a topic. */
export function secondWords({ members }: TopicDoc): string[] {
  return members.map(secondWord);
}

export function secondWord({ name }: CommandDoc): string {
  return name.split(' ')[1] ?? '';
}

/** The names of a command: its own and its aliases. */
export function spellings({ name, aliases }: CommandDoc): string[] {
  return [name, ...aliases];
}

/** `-n` and `--number`. */
export function flagWords(char: string | undefined, name: string): string[] {
  return char === undefined ? [`--${name}`] : [`-${char}`, `--${name}`];
}
