/** The name of an image tells what is in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recipeHash } from '../../src/lab/recipe.ts';

test('further packages make another image, and leave the ordinary one as it is', () => {
  assert.equal(recipeHash([]), recipeHash());
  assert.notEqual(recipeHash(['ceph-osd']), recipeHash());
  assert.notEqual(recipeHash(['ceph-osd', 'ceph-mon']), recipeHash(['ceph-osd']));
});
