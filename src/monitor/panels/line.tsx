/** The only place where the meanings of pieces become colours, and lines become Ink elements. */
import { Box, Text } from 'ink';
import { createContext, type ReactNode, useContext } from 'react';
import { type Glyphs, UNICODE } from '../drawing/glyphs.ts';
import { clip, type Ink, type Piece, piece, widthOf } from '../drawing/pieces.ts';

const COLOURS: Readonly<Record<Ink, string | undefined>> = {
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  neutral: undefined,
  matched: 'green',
  registered: 'blue',
  copied: 'yellow',
  accent: 'cyan',
  quiet: undefined,
};

/** The characters that this terminal can show. */
export const GlyphContext = createContext<Glyphs>(UNICODE);

/** One row per line; a line that is too wide is cut off. */
export function Lines({ lines, width }: { readonly lines: readonly (readonly Piece[])[]; readonly width: number }) {
  const { ellipsis } = useContext(GlyphContext);
  return lines.map((pieces, at) => {
    const key = `${at}`;
    return (
      <Box key={key} height={1} flexShrink={0}>
        <Text>{pieces.length === 0 ? ' ' : clip(pieces, width, ellipsis).map(textOf)}</Text>
      </Box>
    );
  });
}

function textOf({ text, ink, bold = false }: Piece, at: number): ReactNode {
  if (ink === undefined && !bold) return text;
  const colour = ink === undefined ? undefined : COLOURS[ink];
  const key = `${at}`;
  return (
    <Text key={key} bold={bold} dimColor={ink === 'quiet'} {...(colour === undefined ? {} : { color: colour })}>
      {text}
    </Text>
  );
}

export interface SectionProps {
  readonly title: string;
  /** Says what the numbers are. */
  readonly note?: string;
  readonly width: number;
  readonly children: ReactNode;
}

/** A title line, such as `QUEUES ── requests in the server's hands ──────`, with the content below it. */
export function Section({ title, note = '', width, children }: SectionProps) {
  const { rule } = useContext(GlyphContext);
  const head = [
    piece(title, 'accent', true),
    piece(` ${rule}${rule}${note === '' ? '' : ' '}`, 'quiet'),
    piece(note, 'quiet'),
  ];
  const tail = rule.repeat(Math.max(0, width - widthOf(head) - (note === '' ? 0 : 1)));
  return (
    <Box flexDirection="column" width={width} flexShrink={0}>
      <Lines width={width} lines={[[...head, piece(note === '' ? tail : ` ${tail}`, 'quiet')]]} />
      {children}
    </Box>
  );
}
