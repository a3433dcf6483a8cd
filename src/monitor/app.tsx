/** The whole screen: the newest picture of the watch, what the person has chosen to see, and the keys that change that. */
import { Box, useApp, useInput, useWindowSize, type Key } from 'ink';
import {
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useReducer,
  useRef,
  useSyncExternalStore,
} from 'react';
import type { Actions } from './actions.ts';
import type { Glyphs } from './drawing/glyphs.ts';
import { hintsOf } from './keys/hints.ts';
import { press } from './keys/press.ts';
import type { KeyName, Situation } from './keys/situation.ts';
import { FRAME_ROWS } from './panels/layout.ts';
import { DevicePanel } from './panels/device.tsx';
import { DevicesPanel, type PanelProps } from './panels/devices.tsx';
import { HelpPanel, QuestionDialog, RegisterDialog } from './panels/dialogs.tsx';
import { Footer, Header, MessageLine } from './panels/frame.tsx';
import { GlyphContext } from './panels/line.tsx';
import { BuffersPanel, EventsPanel } from './panels/lists.tsx';
import { firstScreen, type Question, type Screen, type ViewName } from './screen.ts';
import { useSuspension } from './suspension.ts';
import type { Watch } from '../watch/watch.ts';

/** How long a message is shown. */
const MESSAGE_MS = 15_000;

export interface AppProps {
  readonly watch: Watch;
  readonly actions: Actions;
  readonly device: number | undefined;
  readonly intervalMs: number;
  readonly readOnly: boolean;
  readonly glyphs: Glyphs;
  /** Host name and kernel. */
  readonly host: string;
  readonly farewell: Question | null;
}

export function App({ watch, actions, device, intervalMs, readOnly, glyphs, host, farewell }: AppProps) {
  const { exit } = useApp();
  const suspend = useSuspension();
  const { columns: width, rows } = useWindowSize();
  const newest = useSyncExternalStore(
    useCallback((listener: () => void) => watch.subscribe(listener), [watch]),
    () => watch.picture,
  );
  const progress = useSyncExternalStore(
    useCallback((listener: () => void) => actions.subscribe(listener), [actions]),
    () => actions.progress,
  );
  const { screenNow, change } = useScreen(firstScreen({ device, intervalMs }));
  const screen = screenNow.current;
  const picture = screen.frozen ?? newest;
  const situation = (now: Screen): Situation => ({ screen: now, picture: now.frozen ?? newest, readOnly, farewell });

  useEffect(() => {
    watch.setInterval(screen.intervalMs);
    watch.heat = screen.view === 'buffers' || screen.view === 'device';
  }, [watch, screen.intervalMs, screen.view]);

  useEffect(() => {
    actions.onDone((message) => {
      change({ ...screenNow.current, message });
      watch.look();
    });
  }, [actions, screenNow, change, watch]);

  useFadingMessage(screenNow, change);

  useInput((input, key) => {
    if (key.ctrl && input === 'z') suspend();
    for (const name of keyNames(input, key)) {
      const outcome = press(situation(screenNow.current), name);
      change(outcome.screen);
      if (outcome.quit === true) exit();
      if (outcome.action !== undefined) actions.add(outcome.action);
    }
  });

  const shown = progress === null ? screen : { ...screen, message: progress };
  const frame = { picture, screen: shown, width, glyphs };
  return (
    <GlyphContext value={glyphs}>
      <Box flexDirection="column" width={width} height={rows} overflow="hidden">
        <Header {...frame} readOnly={readOnly} host={host} />
        <Box flexDirection="column" height={Math.max(1, rows - FRAME_ROWS)} width={width} overflow="hidden">
          <Body {...frame} height={Math.max(1, rows - FRAME_ROWS)} />
        </Box>
        <MessageLine {...frame} />
        <Footer hints={hintsOf(situation(screen))} width={width} />
      </Box>
    </GlyphContext>
  );
}

/** The screen as it is now. Keys may arrive together: each is pressed on the screen that the one before it left. */
function useScreen(first: Screen): {
  readonly screenNow: RefObject<Screen>;
  readonly change: (next: Screen) => void;
} {
  const screenNow = useRef<Screen>(first);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const change = useCallback((next: Screen) => {
    screenNow.current = next;
    redraw();
  }, []);
  return { screenNow, change };
}

/** Takes a message away when it has been shown for a while, unless there is another one by then. */
function useFadingMessage(screenNow: RefObject<Screen>, change: (next: Screen) => void): void {
  const { message } = screenNow.current;
  useEffect(() => {
    if (message === null) return undefined;
    const timer = setTimeout(() => {
      if (screenNow.current.message === message) change({ ...screenNow.current, message: null });
    }, MESSAGE_MS);
    return () => clearTimeout(timer);
  }, [message, screenNow, change]);
}

function Body(props: PanelProps) {
  const { screen, width, height, glyphs } = props;
  if (screen.question !== null) return <QuestionDialog question={screen.question} width={width} glyphs={glyphs} />;
  if (screen.typing?.what === 'register')
    return <RegisterDialog typing={screen.typing} width={width} glyphs={glyphs} />;
  if (screen.help) return <HelpPanel width={width} height={height} />;
  const Panel = PANELS[screen.view];
  return <Panel {...props} />;
}

const PANELS: Readonly<Record<ViewName, (props: PanelProps) => ReactNode>> = {
  devices: DevicesPanel,
  device: DevicePanel,
  buffers: BuffersPanel,
  events: EventsPanel,
};

/** Keys that Ink names when they come alone, and passes as characters when they come with others. */
const CONTROLS: Readonly<Record<string, KeyName>> = { '\r': 'enter', '\t': 'tab', '\u007f': 'backspace' };

/** Gives Ink's keys our names. Characters that were typed quickly, or pasted, come together. */
function keyNames(input: string, key: Key): KeyName[] {
  if (key.upArrow) return ['up'];
  if (key.downArrow) return ['down'];
  if (key.leftArrow) return ['left'];
  if (key.rightArrow) return ['right'];
  if (key.pageUp) return ['pageup'];
  if (key.pageDown) return ['pagedown'];
  if (key.home) return ['home'];
  if (key.end) return ['end'];
  if (key.return) return ['enter'];
  if (key.escape) return ['esc'];
  if (key.tab) return [key.shift ? 'shift-tab' : 'tab'];
  if (key.backspace || key.delete) return ['backspace'];
  if (key.ctrl || key.meta) return [];
  return Array.from(input, (character) => CONTROLS[character] ?? character).filter((name) => name >= ' ');
}
