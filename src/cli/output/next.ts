/** The command that a person probably wants next, below what a command has done. */
import { styles } from './styles.ts';

export function nextLine(command: string): string {
  return `  ${styles.dim('next:')} ${command}\n`;
}
