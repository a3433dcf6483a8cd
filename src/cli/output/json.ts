/** The version of everything that `--json` prints. It changes when a key is removed or changes its meaning. */
const JSON_VERSION = 1;

/** One object: on several lines for a terminal, on one line for a program. */
export function jsonDocument(body: object): string {
  const indent = process.stdout.isTTY ? 2 : undefined;
  return `${JSON.stringify({ version: JSON_VERSION, ...body }, null, indent)}\n`;
}
