/** The view of all devices: a table and, where there is room, the queues and the data of the selected device. */
import { Box } from 'ink';
import { dataLines } from '../lines/data.ts';
import { queueLines } from '../lines/queues.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import type { DeviceView, Picture } from '../../watch/model/picture.ts';
import { piece } from '../drawing/pieces.ts';
import { type Screen, selectedDevice, shownDevices } from '../screen.ts';
import { deviceTable } from '../lines/device-table.ts';
import { ownEventLines } from '../lines/events.ts';
import { windowOf } from '../lines/table.ts';
import { Lines, Section } from './line.tsx';

export interface PanelProps {
  readonly picture: Picture;
  readonly screen: Screen;
  readonly width: number;
  readonly height: number;
  readonly glyphs: Glyphs;
}

const HEADING = 1;
/** Rows of the smallest useful preview: its titles, one queue, the bar with its legend, and a sentence. */
const SMALLEST_PREVIEW = 9;
const MOST_QUEUES = 8;
/** Rows around the events: three titles and a blank line. */
const EVENT_FRAME = 4;

export function DevicesPanel({ picture, screen, width, height, glyphs }: PanelProps) {
  const devices = shownDevices(picture, screen);
  if (devices.length === 0) return <Lines width={width} lines={emptyLines(picture, screen)} />;
  const selected = selectedDevice(picture, screen);
  const preview = height - HEADING - devices.length - 1;
  const table = deviceTable(devices, selected, screen, width, glyphs);
  const tableRows = preview >= SMALLEST_PREVIEW ? devices.length : height - HEADING;
  return (
    <Box flexDirection="column" width={width}>
      <Lines width={width} lines={[table.heading, ...windowOf(table, tableRows)]} />
      {preview >= SMALLEST_PREVIEW && selected !== undefined && (
        <Preview device={selected} picture={picture} screen={screen} width={width} height={preview} glyphs={glyphs} />
      )}
    </Box>
  );
}

function Preview({
  device,
  picture,
  screen: { period },
  width,
  height,
  glyphs,
}: PanelProps & { readonly device: DeviceView }) {
  const data = dataLines(device, period, width, glyphs);
  const room = Math.min(MOST_QUEUES, height - data.length - 3);
  const queues = queueLines(device, period, width, glyphs);
  const shown = queues.slice(0, queues.length > room ? room - 1 : room);
  const more = queues.length - shown.length;
  const rest = more > 0 ? [[piece(`and ${more} more: Enter shows them`, 'quiet')]] : [];
  const left = height - shown.length - rest.length - data.length - EVENT_FRAME;
  const events = left > 0 ? ownEventLines(picture.events.toReversed(), true).slice(0, left) : [];
  return (
    <Box flexDirection="column" marginTop={1} width={width}>
      {queues.length > 0 && (
        <Section title={`${device.name} QUEUES`} note="requests in the server's hands" width={width}>
          <Lines width={width} lines={[...shown, ...rest]} />
        </Section>
      )}
      <Section title={`${device.name} DATA`} note="how it travels" width={width}>
        <Lines width={width} lines={data} />
      </Section>
      {events.length > 0 && (
        <Box marginTop={1}>
          <Section title="EVENTS" note="newest first, of all devices" width={width}>
            <Lines width={width} lines={events} />
          </Section>
        </Box>
      )}
    </Box>
  );
}

function emptyLines({ devices, sample }: Picture, { filter }: Screen) {
  if (devices.length > 0) return [[], [piece(`  No device has "${filter}" in it.`, 'warning')]];
  if (sample.notice !== null) {
    const notice = sample.notice.split('; ').map((part) => [piece(`  ${part}`, 'warning')]);
    return [[], [piece('  There are no ublk devices.', undefined, true)], [], ...notice];
  }
  return [
    [],
    [piece('  There are no ublk devices yet.', undefined, true)],
    [],
    [piece('  ublkts add -t null --shmem_zc', 'accent'), piece('   adds one, and it appears here.', 'quiet')],
  ];
}
