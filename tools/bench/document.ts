/** Figures in a document: what stands between two marker comments is written by a command. Pure. */

/** The text with `body` in the place of what the markers of `name` enclose. */
export function putBetween(text: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name}: written by `, `<!-- end of ${name} -->`];
  const start = text.indexOf('\n', text.indexOf(begin));
  const stop = text.indexOf(end);
  if (!text.includes(begin) || start < 0 || stop < start) throw new Error(`no markers of "${name}"`);
  return `${text.slice(0, start)}\n\n${body.trim()}\n\n${text.slice(stop)}`;
}
