/** The features of the driver. A person is also shown those that only a newer kernel has. */
import { UBLK_FEATURES } from '../../native/uapi/ublk-features.ts';
import type { Views } from './views.ts';
import { styles } from './styles.ts';
import { type Features, featuresText } from './kublk-text.ts';
import { type Column, renderTable, terminalWidth } from './table.ts';

interface Row {
  readonly bit: number;
  readonly name: string;
  readonly here: boolean;
  readonly since: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { heading: 'BIT', align: 'right', cell: ({ bit }) => String(bit) },
  { heading: 'FEATURE', cell: ({ name }) => name, style: ({ here }) => (here ? styles.good : styles.dim) },
  { heading: 'HERE', cell: ({ here }) => (here ? 'yes' : 'no'), style: ({ here }) => (here ? String : styles.dim) },
  { heading: 'SINCE LINUX', cell: ({ since }) => since },
];

export function featuresViews(features: Features): Views {
  return {
    json: {
      features: `0x${features.features.toString(16)}`,
      names: features.bits.map(({ name }) => name).filter((name) => name !== null),
      unknown_bits: features.bits.filter(({ name }) => name === null).map(({ bit }) => bit),
    },
    kublk: () => featuresText(features),
    table: () => renderTable(COLUMNS, rowsOf(features), terminalWidth()),
  };
}

function rowsOf({ bits }: Features): Row[] {
  const here = new Set(bits.map(({ bit }) => bit));
  const known = UBLK_FEATURES.map(({ bit, name, since }) => ({ bit, name, since, here: here.has(bit) }));
  const unknown = bits
    .filter(({ name }) => name === null)
    .map(({ bit }) => ({ bit, name: 'unknown', since: '?', here: true }));
  return [...known, ...unknown];
}
