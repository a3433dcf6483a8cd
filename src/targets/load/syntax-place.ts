/** Finds where a file breaks the syntax. V8 says so of an ES module only to whoever runs Node, and not in its error. */
import { readFileSync } from 'node:fs';
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Puts the place first into the stack of an error of V8's that has none. `urls`: the files that were loaded, of which one breaks the
 * syntax. The parser that removes types finds it; what it knows and V8 does not (a decorator) stays without a place.
 */
export function addSyntaxPlace(error: unknown, urls: readonly string[]): void {
  if (!(error instanceof SyntaxError) || !('stripTypeScriptTypes' in nodeModule)) return;
  const { stack = '' } = error;
  if (stack.includes('file://')) return;
  const place = firstPlaceIn(urls.filter((url) => CODE.test(url)));
  if (place !== null) error.stack = `${place}\n${stack}`;
}

/** What is loaded may be data as well (JSON, WebAssembly), which that parser does not know. */
const CODE = /\.[cm]?[jt]s(?:\?|$)/;

function firstPlaceIn(urls: readonly string[]): string | null {
  for (const url of urls) {
    const place = placeIn(url);
    if (place !== null) return place;
  }
  return null;
}

/** `file:///srv/ram.mjs:3`, or null where the file has no mistake. */
function placeIn(url: string): string | null {
  try {
    nodeModule.stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'), { sourceUrl: url });
    return null;
  } catch (error) {
    const [first = ''] = (error instanceof SyntaxError ? error.stack : '')?.split('\n') ?? [];
    return first.startsWith(url) ? first : null;
  }
}
