/** The flags of `set_params`, by kublk's names. */
import * as Flags from '@oclif/core/flags';
import type { InferredFlags, OptionFlag } from '@oclif/core/interfaces';
import { type ParamType, SET_PARAMS_DEFAULTS, type SetParamsRequest } from '../../device/change/set-params-request.ts';
import { usageError } from '../../errors.ts';
import { chosenFeatures, type FeatureChoices } from './features.ts';
import { byte, newDeviceId, wholeNumber, word } from './values.ts';

const { basic, zoned } = SET_PARAMS_DEFAULTS;
const PARAMETERS = { helpGroup: 'PARAMETERS' } as const;

export const setParamsFlags = {
  number: newDeviceId({
    char: 'n',
    summary: 'The id of the device. The default is -1: the kernel chooses.',
    helpGroup: 'DEVICE',
  }),
  queues: wholeNumber({ char: 'q', summary: 'Hardware queues (default 2).', helpGroup: 'DEVICE' }),
  depth: wholeNumber({ char: 'd', summary: 'Requests per queue (default 128).', helpGroup: 'DEVICE' }),
  param_types: Flags.string({
    helpValue: 'basic[,zoned]|none',
    summary: 'The parameters that are sent (default basic).',
    ...PARAMETERS,
  }),
  logical_bs_shift: knob(byte, 'Size of a logical block, as a power of two', basic.logicalBsShift),
  physical_bs_shift: knob(byte, 'Size of a physical block, as a power of two', basic.physicalBsShift),
  io_min_shift: knob(byte, 'Size of the smallest efficient request, as a power of two', basic.ioMinShift),
  io_opt_shift: knob(byte, 'Best size of a request, as a power of two', basic.ioOptShift),
  max_sectors: knob(word, 'Largest request in sectors', basic.maxSectors),
  chunk_sectors: knob(
    word,
    'Boundary in sectors that no request crosses, which is also the zone size',
    basic.chunkSectors,
  ),
  dev_sectors: knob(wholeNumber, 'Size of the device in sectors', basic.devSectors),
  max_zone_append_sectors: knob(word, 'Largest zone append in sectors', zoned.maxZoneAppendSectors),
  max_open_zones: knob(word, 'Number of zones that may be open at once, 0 for any number', zoned.maxOpenZones),
  max_active_zones: knob(word, 'Number of zones that may be active at once, 0 for any number', zoned.maxActiveZones),
};

export function setParamsRequest(flags: InferredFlags<typeof setParamsFlags> & FeatureChoices): SetParamsRequest {
  return {
    id: flags.number ?? SET_PARAMS_DEFAULTS.id,
    queues: flags.queues ?? SET_PARAMS_DEFAULTS.queues,
    depth: flags.depth ?? SET_PARAMS_DEFAULTS.depth,
    features: chosenFeatures(flags),
    ioDescSize: flags.io_desc_size ?? SET_PARAMS_DEFAULTS.ioDescSize,
    types: flags.param_types === undefined ? SET_PARAMS_DEFAULTS.types : parseTypes(flags.param_types),
    basic: {
      logicalBsShift: flags.logical_bs_shift ?? basic.logicalBsShift,
      physicalBsShift: flags.physical_bs_shift ?? basic.physicalBsShift,
      ioMinShift: flags.io_min_shift ?? basic.ioMinShift,
      ioOptShift: flags.io_opt_shift ?? basic.ioOptShift,
      maxSectors: flags.max_sectors ?? basic.maxSectors,
      chunkSectors: flags.chunk_sectors ?? basic.chunkSectors,
      devSectors: flags.dev_sectors ?? basic.devSectors,
    },
    zoned: {
      maxOpenZones: flags.max_open_zones ?? zoned.maxOpenZones,
      maxActiveZones: flags.max_active_zones ?? zoned.maxActiveZones,
      maxZoneAppendSectors: flags.max_zone_append_sectors ?? zoned.maxZoneAppendSectors,
    },
  };
}

/** `kind` is as wide as the kernel's field, so that no value can be cut off on its way. */
function knob(kind: typeof wholeNumber, what: string, standard: number): OptionFlag<number | undefined> {
  return kind({ summary: `${what} (default ${standard}).`, ...PARAMETERS });
}

function parseTypes(text: string): ParamType[] {
  return text.split(',').flatMap((word): ParamType[] => {
    if (word === 'none') return [];
    if (word === 'basic' || word === 'zoned') return [word];
    throw usageError(`--param_types ${text} is not possible`, 'it is none, basic, or basic,zoned');
  });
}
