/** The two lines at the head of a device's view: what the device is, and how much it does. Pure. */
import { formatSize } from '../../sizes.ts';
import { meanInFlight, readAwait, utilisation, writeAwait } from '../../watch/model/figures.ts';
import { targetWords } from '../../watch/model/owner.ts';
import type { DeviceView, Period } from '../../watch/model/picture.ts';
import { rate, type Span } from '../../watch/model/spans.ts';
import { bytes, clockSpan, count, milliseconds, percent } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import { firstFitting, keepEnd, type Piece, piece, widthOf } from '../drawing/pieces.ts';

/** The second line says what is wrong with the device, if anything is. */
export function factLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Piece[][] {
  const { state } = device;
  const identity = identityPieces(device, width, glyphs);
  if (state.trouble !== null) return [identity, [piece(sentence(state.trouble), state.severity, true)]];
  const span = device.spans[period];
  const load =
    period === 'total'
      ? totalPieces(span)
      : firstFitting(
          DETAILS.map((detail) => ratePieces(device, span, detail)),
          width,
        );
  return [identity, [...load]];
}

const SHORTEST_NAME = 8;

/** Written out where there is room; otherwise short, with as much of the files' names as fits. */
function identityPieces(device: DeviceView, width: number, glyphs: Glyphs): Piece[] {
  const files = device.sources.join(' ');
  const variant = (wordy: boolean, names: string) => identityWith(device, wordy, names, glyphs);
  const fitting = firstFitting([variant(true, files), variant(false, files)], width);
  const tooWide = widthOf(fitting) - width;
  if (tooWide <= 0 || files === '') return [...fitting];
  const room = Math.max(SHORTEST_NAME, widthOf([piece(files)]) - tooWide);
  return variant(false, keepEnd(files, room, glyphs.ellipsis));
}

function identityWith(device: DeviceView, wordy: boolean, files: string, glyphs: Glyphs): Piece[] {
  const { name, state, sizeBytes, queueCount, upMs, dataPath, sharedMemory } = device;
  const sharing = sharedMemory ? 'shmem_zc + ' : '';
  const facts = [
    files === '' ? targetWords(device) : `${targetWords(device)} ${files}`,
    formatSize(sizeBytes),
    ...(queueCount === 0 ? [] : [shapeFact(device, wordy, glyphs)]),
    ...(dataPath === null ? [] : [`${sharing}${dataPath}`]),
    serverFact(device, wordy),
    ...(upMs === null ? [] : [`up ${clockSpan(upMs)}`]),
  ];
  const dot = piece(` ${glyphs.dot} `, 'quiet');
  return [
    piece(`/dev/${name} `, 'accent', true),
    piece(`${state.word}  `, state.severity, true),
    ...facts.flatMap((fact, at) => (at === 0 ? [piece(fact)] : [dot, piece(fact)])),
  ];
}

function shapeFact({ queueCount, queueDepth }: DeviceView, wordy: boolean, { times }: Glyphs): string {
  if (!wordy) return `${queueCount}${times}${queueDepth}`;
  return `${queueCount} ${queueCount === 1 ? 'queue' : 'queues'} ${times} ${queueDepth} requests`;
}

function serverFact(device: DeviceView, wordy: boolean): string {
  const { serverPid, serverRuns } = device;
  if (serverPid > 0 && serverRuns) return `${serverWords(device, wordy)}pid ${serverPid}`;
  return serverRuns ? 'server not shown' : 'no server';
}

/** The words before the server's process id. A resident server is always named, because it serves other devices too. */
function serverWords({ resident }: DeviceView, wordy: boolean): string {
  if (resident !== null) return `server ${resident} `;
  return wordy ? 'server ' : '';
}

const number = (text: string) => piece(text, undefined, true);
const label = (text: string) => piece(text, 'quiet');

/** How many figures are shown, from wide terminals to narrow ones. */
const DETAILS = ['all', 'most', 'least'] as const;

/** The figures and their names are those of iostat. */
function ratePieces({ inFlight }: DeviceView, span: Span, detail: (typeof DETAILS)[number]): Piece[] {
  const { reads, writes, readBytes, writtenBytes } = span.block;
  return [
    number(count(rate(reads, span))),
    label(' r/s  '),
    number(count(rate(writes, span))),
    label(' w/s  '),
    number(`${bytes(rate(readBytes + writtenBytes, span))}/s`),
    label('  in flight '),
    number(String(inFlight)),
    ...(detail === 'all' ? [label('  aqu-sz '), number(meanInFlight(span).toFixed(1))] : []),
    ...awaitPieces('r_await', readAwait(span)),
    ...awaitPieces('w_await', writeAwait(span)),
    ...(detail === 'least' ? [] : [label('  %util '), number(percent(utilisation(span)))]),
    ...(span.server.errors > 0 ? [piece(`  ${count(span.server.errors)} failed`, 'bad', true)] : []),
  ];
}

function totalPieces(span: Span): Piece[] {
  const { reads, writes, readBytes, writtenBytes } = span.block;
  return [
    label('in total: '),
    number(count(reads)),
    label(` reads, ${bytes(readBytes)}; `),
    number(count(writes)),
    label(` writes, ${bytes(writtenBytes)}; `),
    piece(`${count(span.server.errors)} failed`, span.server.errors > 0 ? 'bad' : 'quiet', true),
  ];
}

function awaitPieces(name: string, meanMs: number | null): Piece[] {
  return meanMs === null ? [] : [label(`  ${name} `), number(milliseconds(meanMs)), label(' ms')];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
