/** A key, what it is pressed on, and what comes of it. Pure: there is nothing else that a key can see or do. */
import type { Picture } from '../../watch/model/picture.ts';
import type { Action, Question, Screen } from '../screen.ts';

/** A printable character, or one of these. */
export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageup'
  | 'pagedown'
  | 'home'
  | 'end'
  | 'enter'
  | 'esc'
  | 'tab'
  | 'shift-tab'
  | 'backspace'
  | (string & {});

/** What a key is pressed on. */
export interface Situation {
  readonly screen: Screen;
  /** The one on the screen: the frozen one when it is frozen. */
  readonly picture: Picture;
  readonly readOnly: boolean;
  /** Asked before leaving, when leaving ends more than the monitor. */
  readonly farewell: Question | null;
}

/** The next screen and, perhaps, what is to be done. */
export interface Outcome {
  readonly screen: Screen;
  readonly action?: Action;
  readonly quit?: true;
}

/** A key that was understood takes the last message away. */
export function done(screen: Screen, change: Partial<Screen>): Outcome {
  return { screen: { ...screen, message: null, ...change } };
}
