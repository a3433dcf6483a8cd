/** The panels that replace the view for a while: a question, a line to type, the help. */
import { Box } from 'ink';
import type { ReactNode } from 'react';
import type { Glyphs } from '../drawing/glyphs.ts';
import { BINDINGS } from '../keys/table.ts';
import { fit, type Ink, keepEnd, type Piece, piece, wrap } from '../drawing/pieces.ts';
import type { Question, Typing } from '../screen.ts';
import { Lines } from './line.tsx';

interface DialogProps {
  readonly title: string;
  readonly ink: Ink;
  readonly width: number;
  readonly glyphs: Glyphs;
  readonly children: ReactNode;
}

/** Columns between the borders of a dialog. */
function innerWidth(width: number): number {
  return Math.min(width - 2, 76) - 6;
}

function Dialog({ title, ink, width, glyphs, children }: DialogProps) {
  const colour = ink === 'bad' ? 'red' : 'cyan';
  return (
    <Box justifyContent="center" width={width} marginTop={1}>
      <Box
        flexDirection="column"
        borderStyle={glyphs.border}
        borderColor={colour}
        paddingX={2}
        width={innerWidth(width) + 6}
        flexShrink={0}
      >
        <Lines width={innerWidth(width)} lines={[[piece(title, ink, true)], []]} />
        {children}
      </Box>
    </Box>
  );
}

export function QuestionDialog({
  question,
  width,
  glyphs,
}: {
  readonly question: Question;
  readonly width: number;
  readonly glyphs: Glyphs;
}) {
  return (
    <Dialog title={question.title} ink="bad" width={width} glyphs={glyphs}>
      <Lines
        width={innerWidth(width)}
        lines={question.lines.flatMap((line) => wrap(line, innerWidth(width)).map((part) => [piece(part)]))}
      />
    </Dialog>
  );
}

export function RegisterDialog({
  typing,
  width,
  glyphs,
}: {
  readonly typing: Typing & { what: 'register' };
  readonly width: number;
  readonly glyphs: Glyphs;
}) {
  const mode = typing.readOnly ? 'read-only: only writes of the client match' : 'read-write';
  const room = innerWidth(width) - 8;
  return (
    <Dialog title={`Register a buffer with ublkb${typing.device}`} ink="accent" width={width} glyphs={glyphs}>
      <Lines
        width={innerWidth(width)}
        lines={[
          [piece('file  ', 'quiet'), piece(keepEnd(typing.text, room, glyphs.ellipsis)), piece(glyphs.bar, 'accent')],
          [piece('mode  ', 'quiet'), piece(mode), piece('   Tab changes it', 'quiet')],
          [],
          [piece('A file in hugetlbfs or tmpfs that the client maps MAP_SHARED too.', 'quiet')],
        ]}
      />
    </Dialog>
  );
}

const WORDS = [
  ['matched', 'the request lay in a registered buffer: used in place, not copied'],
  ['registered', "zero copy: io_uring used the request's own pages"],
  ['copied', 'the kernel copied the data between client and server'],
  ['r_await', 'ms from submission to completion (w_await: of writes)'],
  ['aqu-sz', 'requests in flight, on average'],
] as const;

const KEY_WIDTH = 6;
const CELL_WIDTH = 40;

/** Keys in two columns, with words below them. On a small terminal the end is cut off. */
export function HelpPanel({ width, height }: { readonly width: number; readonly height: number }) {
  const keys = BINDINGS.map(({ label, help }) => [piece(`  ${label.padEnd(KEY_WIDTH)}`, 'accent', true), piece(help)]);
  const half = Math.ceil(keys.length / 2);
  const pairs = keys.slice(0, half).map((left, at) => [...fit(left, CELL_WIDTH), ...(keys[half + at] ?? [])]);
  const words = WORDS.map(([word, meaning]) => {
    const ink = word === 'matched' || word === 'registered' || word === 'copied' ? word : 'accent';
    return [piece(`  ${word.padEnd(12)}`, ink, true), piece(meaning)];
  });
  return (
    <Box flexDirection="column" width={width} height={height} overflow="hidden">
      <Lines width={width} lines={[titleLine('KEYS'), ...pairs, [], titleLine('WORDS'), ...words]} />
    </Box>
  );
}

function titleLine(text: string): Piece[] {
  return [piece(`  ${text}`, 'quiet', true)];
}
