/** The views that are lists: buffers and events. */
import { Box } from 'ink';
import { piece, wrap } from '../drawing/pieces.ts';
import { selectedBuffer, shownBuffers, shownEvents } from '../screen.ts';
import { bufferTable, heatPieces } from '../lines/buffers.ts';
import { eventTable } from '../lines/events.ts';
import { windowOf } from '../lines/table.ts';
import type { PanelProps } from './devices.tsx';
import { Lines, Section } from './line.tsx';

const HEAT_SECTION = 4;
const WHOLE_TEXT = 4;

export function BuffersPanel({ picture, screen, width, height, glyphs }: PanelProps) {
  const buffers = shownBuffers(picture, screen);
  if (buffers.length === 0) return <Lines width={width} lines={NO_BUFFERS} />;
  const table = bufferTable(buffers, screen, width, glyphs);
  const chosen = selectedBuffer(picture, screen);
  return (
    <Box flexDirection="column" width={width}>
      <Lines width={width} lines={[table.heading, ...windowOf(table, Math.max(1, height - 1 - HEAT_SECTION))]} />
      {chosen !== undefined && (
        <Box marginTop={1}>
          <Section
            title={`${chosen.device.name} BUFFER ${chosen.buffer.index}`}
            note="which parts of it are hit, first byte left"
            width={width}
          >
            <Lines
              width={width}
              lines={[
                [...heatPieces(chosen.buffer.heat[screen.period], glyphs), piece(`  ${chosen.buffer.source}`)],
                [piece('A request matches when all of its memory lies in one buffer: map it, use O_DIRECT.', 'quiet')],
              ]}
            />
          </Section>
        </Box>
      )}
    </Box>
  );
}

const NO_BUFFERS = [
  [],
  [piece('  No buffers are registered.', undefined, true)],
  [],
  [
    piece('  A client that keeps its data in a registered buffer needs no copy. Add a device with ', 'quiet'),
    piece('--shmem_zc', 'accent'),
  ],
  [
    piece('  and register memory with ', 'quiet'),
    piece('ublkts reg-buf -n ID FILE', 'accent'),
    piece(' or the key b.', 'quiet'),
  ],
];

export function EventsPanel({ picture, screen, width, height, glyphs }: PanelProps) {
  const events = shownEvents(picture, screen);
  if (events.length === 0) {
    return (
      <Lines
        width={width}
        lines={[
          [],
          [piece('  Nothing has happened since the monitor started.', undefined, true)],
          [],
          [piece('  Devices that come and go, servers that die or are replaced, buffers that are registered', 'quiet')],
          [piece('  and unregistered, and requests that fail are told here.', 'quiet')],
        ]}
      />
    );
  }
  const table = eventTable(events, screen, width, glyphs);
  const event = events[table.pointed];
  // The selected event is written out below the table, as its row may have no room for all of it.
  const whole = event === undefined ? [] : wrap(event.text, width - 4).slice(0, WHOLE_TEXT - 1);
  return (
    <Box flexDirection="column" width={width} height={height} justifyContent="space-between">
      <Box flexDirection="column">
        <Lines width={width} lines={[table.heading, ...windowOf(table, Math.max(1, height - 1 - WHOLE_TEXT))]} />
      </Box>
      <Box flexDirection="column">
        <Lines width={width} lines={whole.map((line) => [piece(`  ${line}`, event?.severity)])} />
      </Box>
    </Box>
  );
}
