/** The frame around every view: header and tabs above it, message line and keys below it. */
import { Box } from 'ink';
import { interval, timeOfDay } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import type { Hint } from '../keys/hints.ts';
import type { Picture } from '../../watch/model/picture.ts';
import { type Piece, piece, spread, widthOf } from '../drawing/pieces.ts';
import { type Screen, shownBuffers, shownEvents, VIEWS, type ViewName } from '../screen.ts';
import { Lines } from './line.tsx';

export interface FrameProps {
  readonly picture: Picture;
  readonly screen: Screen;
  readonly width: number;
  readonly glyphs: Glyphs;
}

export function Header({
  picture,
  screen,
  width,
  glyphs,
  readOnly,
  host,
}: FrameProps & { readonly readOnly: boolean; readonly host: string }) {
  const dot = piece(` ${glyphs.dot} `, 'quiet');
  const { devices, sample } = picture;
  const left = [
    piece(' ublkts monitor', 'accent', true),
    dot,
    piece(host),
    dot,
    piece(devices.length === 1 ? '1 device' : `${devices.length} devices`),
    dot,
    piece(screen.period === 'total' ? 'totals' : `every ${interval(screen.intervalMs)}`),
    ...(readOnly ? [dot, piece('read-only', 'warning')] : []),
    ...(screen.frozen === null ? [] : [dot, piece('FROZEN', 'warning', true)]),
  ];
  return (
    <Lines
      width={width}
      lines={[spread(left, [piece(`${timeOfDay(sample.wallMs)} `, 'quiet')], width), tabs(picture, screen)]}
    />
  );
}

function tabs(picture: Picture, screen: Screen): Piece[] {
  const labels: Readonly<Record<ViewName, string>> = {
    devices: 'Devices',
    device: screen.device === null ? 'Device' : `Device ublkb${screen.device}`,
    buffers: `Buffers (${shownBuffers(picture, screen).length})`,
    events: `Events (${shownEvents(picture, screen).length})`,
  };
  const pieces = VIEWS.flatMap((view, at) => {
    const text = `${at + 1} ${labels[view]}`;
    return view === screen.view ? [piece(` [${text}]`, 'accent', true)] : [piece(`  ${text} `, 'quiet')];
  });
  const { filter, typing } = screen;
  return filter === '' || typing !== null ? pieces : [...pieces, piece(`   filter: ${filter} (Esc clears)`, 'warning')];
}

/** The line above the keys: what is being typed, the last message, a notice, or nothing. */
export function MessageLine({ picture, screen, width, glyphs }: FrameProps) {
  return <Lines width={width} lines={[spread(messageOf(picture, screen, glyphs), [], width)]} />;
}

function messageOf({ sample }: Picture, { typing, message }: Screen, glyphs: Glyphs): Piece[] {
  const cursor = piece(glyphs.bar, 'accent');
  if (typing?.what === 'filter') {
    return [piece(' show only: ', 'accent', true), piece(typing.text), cursor];
  }
  if (message !== null) return [piece(` ${message.text}`, message.severity, message.severity === 'bad')];
  return sample.notice === null ? [] : [piece(` ${sample.notice}`, 'warning')];
}

/** The keys that work now, as many as there is room for. */
export function Footer({ hints, width }: { readonly hints: readonly Hint[]; readonly width: number }) {
  const always = hints.filter((hint) => hint.always).flatMap(hintPieces);
  const pieces: Piece[] = [piece(' ')];
  for (const hint of hints.filter((hint) => !hint.always)) {
    const next = hintPieces(hint);
    if (widthOf(pieces) + widthOf(next) + widthOf(always) >= width) break;
    pieces.push(...next);
  }
  return (
    <Box height={1} flexShrink={0}>
      <Lines width={width} lines={[spread(pieces, always, width)]} />
    </Box>
  );
}

function hintPieces({ label, hint }: Hint): Piece[] {
  return [piece(label, 'accent', true), piece(` ${hint}  `, 'quiet')];
}
