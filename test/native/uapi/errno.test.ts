import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { ERRNO, errnoName, errnoNumber, errnoText } from '../../../src/native/uapi/errno.ts';

test('a name and a text for an errno, whichever sign it carries', () => {
  assert.equal(errnoName(19), 'ENODEV');
  assert.equal(errnoName(-19), 'ENODEV');
  assert.equal(errnoText(-19), 'No such device');
});

test('an errno that the kernel should not let out has a name too', () => {
  assert.equal(errnoName(-524), 'ENOTSUPP');
  assert.equal(errnoText(-524), 'Operation is not supported');
});

test('an errno that nobody has heard of is told as a number', () => {
  assert.equal(errnoName(-4000), 'errno 4000');
  assert.equal(errnoText(-4000), 'Unknown error 4000');
});

test('every name leads to its number and back', () => {
  for (const [name, number] of Object.entries(ERRNO)) {
    assert.equal(errnoName(number), name);
    assert.equal(errnoNumber(name), number);
  }
  assert.equal(errnoNumber('toString'), undefined);
});

test('Node agrees about the numbers that it knows', () => {
  for (const [name, number] of Object.entries(constants.errno)) {
    const ours = errnoNumber(name);
    if (ours !== undefined) assert.equal(ours, number, name);
  }
});
