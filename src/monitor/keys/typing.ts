/** Handles keys while a line is being typed: a filter, or the path of a buffer. */
import type { Screen, Typing } from '../screen.ts';
import { clustersOf } from '../../text/width.ts';
import { done, type KeyName, type Outcome } from './situation.ts';

/** Enter takes the line, Esc drops it, Tab changes the mode of a buffer, and other keys are text. */
export function type(screen: Screen, typing: Typing, key: KeyName): Outcome {
  if (key === 'esc') return done(screen, typing.what === 'filter' ? { typing: null, filter: '' } : { typing: null });
  if (key === 'enter') return take(screen, typing);
  if (key === 'tab' && typing.what === 'register') {
    return done(screen, { typing: { ...typing, readOnly: !typing.readOnly } });
  }
  const text = typed(typing.text, key);
  // The filter is in force while it is being typed.
  return done(screen, { typing: { ...typing, text }, ...(typing.what === 'filter' ? { filter: text, row: 0 } : {}) });
}

/** Backspace takes the last character as a reader sees it. Keys with a name of several letters are no text. */
function typed(text: string, key: KeyName): string {
  if (key === 'backspace') return clustersOf(text).slice(0, -1).join('');
  return clustersOf(key).length === 1 ? text + key : text;
}

function take(screen: Screen, typing: Typing): Outcome {
  const taken = done(screen, { typing: null });
  if (typing.what === 'filter' || typing.text === '') return taken;
  const { device, text: path, readOnly } = typing;
  return { ...taken, action: { kind: 'register', device, path, readOnly } };
}
