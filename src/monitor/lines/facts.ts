/** Who a device is, and how it is doing. Pure. */
import { formatSize } from '../../sizes.ts';
import { meanInFlight, readAwait, utilisation, writeAwait } from '../../watch/model/figures.ts';
import { bytes, clockSpan, count, milliseconds, percent } from '../drawing/format.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import type { DeviceView, Period } from '../../watch/model/picture.ts';
import { firstFitting, type Piece, piece } from '../drawing/pieces.ts';
import { rate, type Span } from '../../watch/model/spans.ts';

/** Who it is, and how it is doing: two lines. */
export function factLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Piece[][] {
  const { state } = device;
  const who = firstFitting([whoPieces(device, true, glyphs), whoPieces(device, false, glyphs)], width);
  if (state.trouble !== null) return [[...who], [piece(sentence(state.trouble), state.tone, true)]];
  const span = device.spans[period];
  const figures =
    period === 'total'
      ? totalPieces(span)
      : firstFitting(
          DETAILS.map((detail) => ratePieces(device, span, detail)),
          width,
        );
  return [[...who], [...figures]];
}

function whoPieces(device: DeviceView, wordy: boolean, glyphs: Glyphs): Piece[] {
  const { name, state, target, files, sizeBytes, queueCount, queueDepth, serverPid, upMs, dataPath, features } = device;
  const sharing = features.includes('SHMEM_ZC') ? 'shmem_zc + ' : '';
  const facts = [
    target === null ? "another program's" : [target, ...files].join(' '),
    formatSize(sizeBytes),
    wordy ? `${queueCount} queues ${glyphs.times} ${queueDepth} requests` : `${queueCount}${glyphs.times}${queueDepth}`,
    ...(dataPath === null ? [] : [`${sharing}${dataPath}`]),
    serverPid > 0 ? `${wordy ? 'server ' : ''}pid ${serverPid}` : 'no server',
    ...(upMs === null ? [] : [`up ${clockSpan(upMs)}`]),
  ];
  const dot = piece(` ${glyphs.dot} `, 'quiet');
  return [
    piece(`/dev/${name} `, 'accent', true),
    piece(`${state.word}  `, state.tone, true),
    ...facts.flatMap((fact, at) => (at === 0 ? [piece(fact)] : [dot, piece(fact)])),
  ];
}

const number = (text: string) => piece(text, undefined, true);
const label = (text: string) => piece(text, 'quiet');

/** How much is said, by the room that there is. */
const DETAILS = ['all', 'most', 'least'] as const;

/** The measures and their names are iostat's. */
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
