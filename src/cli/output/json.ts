/** The version of everything that `--json` prints; it changes when a key goes or changes its meaning. */
export const JSON_VERSION = 1;

/** One object; on several lines for a person, on one for a program that reads lines. */
export function jsonDocument(body: object): string {
  const indent = process.stdout.isTTY ? 2 : undefined;
  return `${JSON.stringify({ version: JSON_VERSION, ...body }, null, indent)}\n`;
}
