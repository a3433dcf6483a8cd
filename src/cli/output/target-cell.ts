/** A device's target in a table or a sentence: its type, and its files, its URI, or the program that it has started. */
import type { DeviceReport } from '../../device/report/report.ts';
import { sourcesOf } from '../../spec/sources.ts';
import { escapeControls } from '../../text/escape.ts';
import { cutStart } from '../../text/fit.ts';
import { displayWidth } from '../../text/width.ts';
import { ellipsis } from './symbols.ts';
import { type Column, NOTHING } from './table.ts';

/** The columns that files get on the narrowest terminal. */
const LEAST_FOR_FILES = 8;

export function targetText({ target }: DeviceReport): string {
  return target === null ? NOTHING : [target.type, ...sourcesOf(target)].join(' ');
}

/** On a narrow terminal the start of the files goes: the type stays, and the end says which file it is. */
export const targetColumn: Column<DeviceReport> = {
  heading: 'TARGET',
  cell: targetText,
  shrink: {
    least: (device) => {
      const all = displayWidth(escapeControls(targetText(device)));
      return Math.min(all, displayWidth(typeText(device)) + 1 + LEAST_FOR_FILES);
    },
    shorten: (device, width) => {
      const type = typeText(device);
      const files = escapeControls(device.target === null ? '' : sourcesOf(device.target).join(' '));
      return `${type} ${cutStart(files, width - displayWidth(type) - 1, ellipsis())}`;
    },
  },
};

function typeText({ target }: DeviceReport): string {
  return escapeControls(target?.type ?? NOTHING);
}
