/**
 * The options for Node that a server takes from the environment of whoever starts it. Modules that Node loads first (`--require`,
 * `--import`) are left out where their names lead somewhere from the caller's directory only: the server runs in `/`, finds none of
 * them there, and would end before it begins.
 */
import { createRequire } from 'node:module';
import { isAbsolute } from 'node:path';

/** A word of NODE_OPTIONS as it is written: a quoted part may have spaces. */
const WORD = /(?:"(?:\\.|[^"\\])*"|[^" ])+/g;
const PRELOAD = /^(?:-r|--require|--import|--loader|--experimental-loader)(?:=|$)/;

/** `nodeOptions`: the value of NODE_OPTIONS. */
export function serverNodeOptions(nodeOptions: string): string {
  const words = nodeOptions.match(WORD) ?? [];
  return words
    .filter((word, index) => {
      const [before = ''] = words.slice(Math.max(0, index - 1), index);
      if (isPreload(before)) return isFound(word);
      if (!PRELOAD.test(word)) return true;
      return isFound(isPreload(word) ? (words[index + 1] ?? '') : word.slice(word.indexOf('=') + 1));
    })
    .join(' ');
}

/** Whether the word after this one names a module. */
function isPreload(word: string): boolean {
  return PRELOAD.test(word) && !word.includes('=');
}

/** Whether the name of a module means the same in every directory. */
function isFound(word: string): boolean {
  const name = word.replaceAll(/"|\\(?=.)/g, '');
  return isAbsolute(name) || /^(?:file|data|node):/.test(name) || isFoundFromRoot(name);
}

/** One of Node's own, or in a folder of NODE_PATH. */
function isFoundFromRoot(name: string): boolean {
  try {
    createRequire('/').resolve(name);
    return true;
  } catch {
    return false;
  }
}
