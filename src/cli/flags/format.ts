import * as Flags from '@oclif/core/flags';
import { FORMATS } from '../output/views.ts';

/** Chooses how a result is printed, for the commands whose text on a terminal is not kublk's. */
export const formatFlag = Flags.option({
  options: FORMATS,
  multiple: false,
  summary: "Print kublk's text, a table, or JSON. The default is a table on a terminal and kublk's text on a pipe.",
  helpGroup: 'OUTPUT',
})();
