/** Text in a given number of terminal columns: what is too long is cut, what is too short is padded with blanks. */
import { clustersOf, displayWidth } from './width.ts';

const ELLIPSIS = '…';

/** At most `width` columns: cuts the end off and puts the ellipsis in its place. */
export function cutEnd(text: string, width: number, ellipsis: string = ELLIPSIS): string {
  if (displayWidth(text) <= width) return text;
  const room = width - displayWidth(ellipsis);
  if (room < 0) return '';
  return `${take(clustersOf(text), room).join('')}${ellipsis}`;
}

/** At most `width` columns: cuts the start off. The end says more in a path. */
export function cutStart(text: string, width: number, ellipsis: string = ELLIPSIS): string {
  if (displayWidth(text) <= width) return text;
  const room = width - displayWidth(ellipsis);
  if (room < 0) return '';
  return `${ellipsis}${take(clustersOf(text).toReversed(), room).toReversed().join('')}`;
}

/** At least `width` columns: blanks fill the other side. */
export function padTo(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

/** The leading clusters that have room. */
function take(clusters: readonly string[], room: number): string[] {
  let used = 0;
  const end = clusters.findIndex((cluster) => {
    used += displayWidth(cluster);
    return used > room;
  });
  return clusters.slice(0, end === -1 ? clusters.length : end);
}
