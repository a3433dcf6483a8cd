/** The exports of an NBD server, one paragraph per export. */
import type { NbdExportFailure, NbdExportReport } from '../../device/nbd-info.ts';
import { formatSize } from '../../sizes.ts';
import { escapeControls } from '../../text/escape.ts';
import { styles } from './styles.ts';
import type { Views } from './views.ts';

type Export = NbdExportReport | NbdExportFailure;

export function nbdInfoViews(exports: readonly Export[]): Views {
  return {
    json: { exports },
    kublk: () => (exports.length === 0 ? 'the server has no export\n' : exports.map(paragraph).join('')),
  };
}

function paragraph(found: Export): string {
  const { name, description, uri } = found;
  const rows = [
    ...('error' in found ? [['error', escapeControls(found.error)]] : rowsOf(found)),
    ...(description === null ? [] : [['description', escapeControls(description)]]),
  ];
  const title = name === '' ? 'the default export' : `export ${escapeControls(name)}`;
  const lines = rows.map(([key = '', value = '']) => `  ${key.padEnd(12)}${value}\n`);
  return `${styles.heading(title)}: ${escapeControls(uri)}\n${lines.join('')}`;
}

function rowsOf({ size_bytes, block_sizes, flag_names, unusable }: NbdExportReport): string[][] {
  return [
    ['size', `${size_bytes} bytes${size_bytes < 1024 ? '' : ` (${formatSize(size_bytes)})`}`],
    ['blocks', blocksText(block_sizes)],
    ['flags', flag_names.length === 0 ? 'none' : flag_names.join(' ')],
    ...(unusable === null ? [] : [['unusable', unusable]]),
  ];
}

function blocksText(sizes: NbdExportReport['block_sizes']): string {
  if (sizes === null) return 'the server says nothing of them';
  const { minimum, preferred, maximum } = sizes;
  const most = maximum === null ? 'without a limit' : `at most ${formatSize(maximum)}`;
  return `at least ${formatSize(minimum)}, best ${formatSize(preferred)}, ${most}`;
}
