/** The input and the output of a key press: a situation and an outcome. Keys see and do nothing else. */
import type { Picture } from '../../watch/model/picture.ts';
import type { Action, Question, Screen } from '../screen.ts';

/** The name of a key: a printable character, or one of these. */
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

/** Everything that a key press depends on. */
export interface Situation {
  readonly screen: Screen;
  /** The picture on the screen, which is the frozen one when it is frozen. */
  readonly picture: Picture;
  readonly readOnly: boolean;
  /** Asked before the monitor is left, when leaving ends more than the monitor. */
  readonly farewell: Question | null;
}

/** The next screen and, for some keys, an action or the wish to quit. */
export interface Outcome {
  readonly screen: Screen;
  readonly action?: Action;
  readonly quit?: true;
}

/** An outcome with some changes to the screen, and without the last message. */
export function done(screen: Screen, change: Partial<Screen>): Outcome {
  return { screen: { ...screen, message: null, ...change } };
}
