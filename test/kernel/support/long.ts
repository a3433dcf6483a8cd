/** The long form of the tests. What it alone has repeats something on more combinations, or takes minutes in an emulated guest. */
export const LONG = process.env['UBLKTS_LONG'] === '1';

/** The `skip` of a test that only the long form runs. */
export const onlyLong = LONG ? false : 'UBLKTS_LONG=1 runs it';
