/** Keys while a line is typed: a filter, or the path of a buffer. */
import type { Screen, Typing } from '../screen.ts';
import { done, type KeyName, type Outcome } from './situation.ts';

/** Enter takes the line, Esc leaves it, Tab changes the mode of a buffer; all else is text. */
export function type(screen: Screen, typing: Typing, key: KeyName): Outcome {
  if (key === 'esc') return done(screen, typing.what === 'filter' ? { typing: null, filter: '' } : { typing: null });
  if (key === 'enter') return take(screen, typing);
  if (key === 'tab' && typing.what === 'register') {
    return done(screen, { typing: { ...typing, readOnly: !typing.readOnly } });
  }
  const text = key === 'backspace' ? typing.text.slice(0, -1) : key.length === 1 ? typing.text + key : typing.text;
  // A filter works while it is typed.
  return done(screen, { typing: { ...typing, text }, ...(typing.what === 'filter' ? { filter: text, row: 0 } : {}) });
}

function take(screen: Screen, typing: Typing): Outcome {
  const taken = done(screen, { typing: null });
  if (typing.what === 'filter' || typing.text === '') return taken;
  const { device, text: path, readOnly } = typing;
  return { ...taken, command: { kind: 'register', device, path, readOnly } };
}
