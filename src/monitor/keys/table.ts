/**
 * The table of keys. The footer and the help are made from it too, so that every key that they offer works, and every key
 * that works is in the help.
 */
import { shownDevices, VIEWS } from '../screen.ts';
import type { Binding } from './binding.ts';
import {
  askForBuffer,
  askToDelete,
  askToUnregister,
  recover,
  whyNoBuffer,
  whyNoDeleting,
  whyNoRecovery,
  whyNoUnregistering,
} from './changing.ts';
import { changeInterval, sortByNextColumn, whyNoSorting } from './looking.ts';
import { move, moveToNeighbour, pointedDevice, show, showNext } from './moving.ts';
import { done } from './situation.ts';

/** The keys in the order of the footer and the help. No key is in two rows. */
export const BINDINGS: readonly Binding[] = [
  {
    keys: ['up', 'down', 'j', 'k', 'pageup', 'pagedown', 'home', 'end', 'g', 'G'],
    label: 'j k',
    help: 'move (or arrows, PgUp, Home ...)',
    press: move,
  },
  {
    keys: ['left', 'right', 'h', 'l'],
    label: 'h l',
    hint: 'other device',
    help: 'other device (or arrows)',
    views: ['device'],
    refusal: ({ screen, picture }) => (shownDevices(picture, screen).length < 2 ? 'there is no other device' : null),
    press: moveToNeighbour,
  },
  {
    keys: ['enter'],
    label: 'Enter',
    hint: 'open',
    help: 'open the device',
    views: ['devices', 'buffers', 'events'],
    refusal: (situation) => (pointedDevice(situation) === undefined ? 'there is no device to open' : null),
    press: (situation) => done(situation.screen, { view: 'device', device: pointedDevice(situation)?.id ?? null }),
  },
  {
    keys: ['esc'],
    label: 'Esc',
    hint: 'back',
    help: 'clear the filter; back',
    refusal: ({ screen }) =>
      screen.view === 'devices' && screen.filter === '' ? 'there is nothing to go back to' : null,
    press: ({ screen }) =>
      screen.filter === '' ? done(screen, { view: 'devices', row: 0 }) : done(screen, { filter: '' }),
  },
  {
    keys: ['tab', 'shift-tab'],
    label: 'Tab',
    help: 'next view (Shift-Tab: previous)',
    press: showNext,
  },
  {
    keys: ['1', '2', '3', '4'],
    label: '1-4',
    help: 'the four views',
    press: (situation, key) => show(situation, VIEWS[Number(key) - 1] ?? 'devices'),
  },
  {
    keys: ['/'],
    label: '/',
    hint: 'filter',
    help: 'show only what contains ...',
    views: ['devices', 'buffers', 'events'],
    press: ({ screen }) => done(screen, { typing: { what: 'filter', text: screen.filter } }),
  },
  {
    keys: ['s'],
    label: 's',
    hint: 'sort',
    help: 'sort by the next column',
    views: ['devices'],
    refusal: whyNoSorting,
    press: sortByNextColumn,
  },
  {
    keys: ['r'],
    label: 'r',
    help: 'sort the other way round',
    views: ['devices'],
    refusal: whyNoSorting,
    press: ({ screen }) => done(screen, { reversed: !screen.reversed }),
  },
  {
    keys: ['t'],
    label: 't',
    hint: 'total',
    help: 'totals, or rates of the interval',
    press: ({ screen }) => done(screen, { period: screen.period === 'total' ? 'interval' : 'total' }),
  },
  {
    keys: ['f'],
    label: 'f',
    hint: 'freeze',
    help: 'freeze, or go on',
    press: ({ screen, picture }) => done(screen, { frozen: screen.frozen === null ? picture : null }),
  },
  {
    keys: ['b'],
    label: 'b',
    hint: 'add buffer',
    help: 'register a shared buffer',
    changes: true,
    refusal: whyNoBuffer,
    press: askForBuffer,
  },
  {
    keys: ['u'],
    label: 'u',
    hint: 'unregister',
    help: 'unregister the buffer',
    changes: true,
    views: ['buffers'],
    refusal: whyNoUnregistering,
    press: askToUnregister,
  },
  {
    keys: ['R'],
    label: 'R',
    hint: 'recover',
    help: 'recover: start a new server',
    changes: true,
    refusal: whyNoRecovery,
    press: recover,
  },
  {
    keys: ['d'],
    label: 'd',
    hint: 'delete',
    help: 'delete the device',
    changes: true,
    views: ['devices', 'device'],
    refusal: whyNoDeleting,
    press: askToDelete,
  },
  {
    keys: ['+', '=', '-'],
    label: '+ -',
    hint: 'interval',
    help: 'a longer or shorter interval',
    press: changeInterval,
  },
  {
    keys: ['?'],
    label: '?',
    hint: 'help',
    help: 'this page; any key leaves it',
    press: ({ screen }) => done(screen, { help: true }),
  },
  {
    keys: ['q'],
    label: 'q',
    hint: 'quit',
    help: 'quit (or Ctrl-C)',
    press: ({ screen, farewell }) =>
      farewell === null ? { screen, quit: true } : done(screen, { question: farewell }),
  },
];
