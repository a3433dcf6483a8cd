/** The view of one device: its queues, how its data travels, its history, and how long its requests take. */
import { Box } from 'ink';
import { dataLines } from '../lines/data.ts';
import { factLines } from '../lines/facts.ts';
import { chartLines, chartsOf, historyNote } from '../lines/history.ts';
import { histogramLines, latencyLines } from '../lines/latency.ts';
import { arrangeInColumns, queueLines } from '../lines/queues.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import { sumOf } from '../../watch/model/latency.ts';
import { type DeviceLayout, deviceLayout } from './layout.ts';
import type { Owner } from '../../watch/model/owner.ts';
import type { DeviceView, Period, Picture } from '../../watch/model/picture.ts';
import { piece } from '../drawing/pieces.ts';
import { type Screen, selectedDevice } from '../screen.ts';
import { ownBufferLines } from '../lines/buffers.ts';
import { ownEventLines } from '../lines/events.ts';
import type { PanelProps } from './devices.tsx';
import { Lines, Section } from './line.tsx';

export function DevicePanel({ picture, screen, width, height, glyphs }: PanelProps) {
  const device = selectedDevice(picture, screen);
  if (device === undefined) return <Lines width={width} lines={[[], [piece(goneText(screen), 'warning', true)]]} />;
  const { period } = screen;
  // The verdict may take several rows, which depends on the width, and the layout needs their number.
  const half = deviceLayout(width, height, { queues: 1, charts: 1, verdictRows: 1 }).columnWidth;
  const verdictRows = Math.max(1, dataLines(device, period, half, glyphs).length - 2);
  const charts = chartsOf(device).length;
  const layout = deviceLayout(width, height, { queues: device.queues.length, charts, verdictRows });
  const props = { device, period, width: layout.columnWidth, layout, glyphs };
  return (
    <Box flexDirection="column" width={width} height={height} overflow="hidden">
      <Lines width={width} lines={factLines(device, period, width, glyphs)} />
      <Box flexDirection={layout.sideBySide ? 'row' : 'column'} gap={layout.sideBySide ? 3 : 0}>
        <Box flexDirection="column">
          <Queues {...props} from={screen.row} />
          <Data {...props} />
          <Company {...props} picture={picture} />
        </Box>
        <Box flexDirection="column">
          <History {...props} />
          <Latency {...props} />
        </Box>
      </Box>
    </Box>
  );
}

function goneText({ device }: Screen): string {
  return device === null
    ? '  There is no device yet.'
    : `  There is no ublkb${device} now. It appears here when it comes back. Esc shows all devices.`;
}

interface PartProps {
  readonly device: DeviceView;
  readonly period: Period;
  readonly width: number;
  readonly layout: DeviceLayout;
  readonly glyphs: Glyphs;
}

const WHY_NO_QUEUES: Readonly<Record<Owner, string>> = {
  ours: 'The counters of its server could not be read.',
  another: "Only its server knows its queues, and the device is another program's.",
  unknown: 'Only its server knows its queues, and which program that is, is not known.',
};

function Queues({ device, period, width, layout, glyphs, from }: PartProps & { readonly from: number }) {
  const { queueRows, queueColumns, gap } = layout;
  const lines = queueLines(device, period, Math.floor(width / queueColumns) - (queueColumns > 1 ? 2 : 0), glyphs);
  const hidden = lines.length - queueRows * queueColumns;
  const note =
    hidden > 0
      ? `requests in the server's hands; j and k show ${hidden} more`
      : "requests in the server's hands (none now: mean of its batches)";
  const none = [[piece(WHY_NO_QUEUES[device.owner], 'quiet')]];
  return (
    <Box marginTop={gap}>
      <Section title="QUEUES" note={note} width={width}>
        <Lines
          width={width}
          lines={lines.length === 0 ? none : arrangeInColumns(lines, queueRows, queueColumns, from)}
        />
      </Section>
    </Box>
  );
}

function Data({ device, period, width, layout, glyphs }: PartProps) {
  return (
    <Box marginTop={layout.gap}>
      <Section title="DATA" note="how it travels between client and server" width={width}>
        <Lines width={width} lines={dataLines(device, period, width, glyphs)} />
      </Section>
    </Box>
  );
}

/** The buffers and events of the device, where there is room below the data. */
function Company({ device, period, width, layout, glyphs, picture }: PartProps & { readonly picture: Picture }) {
  const { spareRows } = layout;
  const buffers = ownBufferLines(device, period, glyphs).slice(0, Math.max(0, spareRows - 2));
  const eventRows = spareRows - buffers.length - (buffers.length > 0 ? 2 : 0) - 2;
  const events = picture.events.filter((event) => event.device === device.id).toReversed();
  const shown = ownEventLines(events, false).slice(0, Math.max(0, eventRows));
  return (
    <>
      {buffers.length > 0 && (
        <Box marginTop={1}>
          <Section title="BUFFERS" note="registered memory, and where in it requests match" width={width}>
            <Lines width={width} lines={buffers} />
          </Section>
        </Box>
      )}
      {shown.length > 0 && (
        <Box marginTop={1}>
          <Section title="EVENTS" width={width}>
            <Lines width={width} lines={shown} />
          </Section>
        </Box>
      )}
    </>
  );
}

function History({ device, width, layout, glyphs }: PartProps) {
  const lines = chartsOf(device).flatMap((chart) => chartLines(device, chart, width, layout.chartRows, glyphs));
  return (
    <Box marginTop={layout.gap}>
      <Section title="HISTORY" note={historyNote(device, width)} width={width}>
        <Lines width={width} lines={lines} />
      </Section>
    </Box>
  );
}

function Latency({ device, period, width, layout, glyphs }: PartProps) {
  const { read, write, other } = device.spans[period].server.latency;
  const rows = histogramLines(sumOf(read, write, other), width, layout.histogramRows, glyphs);
  const lines = latencyLines(device, period, width, glyphs);
  // The strip shows the same times as the histogram, so only one of them is shown.
  const shown = rows.length > 0 ? lines.slice(0, 2) : lines;
  return (
    <Box marginTop={layout.gap}>
      <Section title="LATENCY" note="in the server; r_await, w_await: the client's mean" width={width}>
        <Lines width={width} lines={[...shown, ...rows]} />
      </Section>
    </Box>
  );
}
