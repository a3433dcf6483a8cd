import assert from 'node:assert/strict';
import test from 'node:test';
import { compareReleases, newestKernel } from '../../src/lab/kernel.ts';

const packagesOf = (release: string): string[] => [`linux-modules-${release}`, `linux-binary-${release}`];

test('the newest cloud kernel is taken, by number and not by letter', () => {
  const names = [
    ...packagesOf('7.3.4+deb13-cloud-amd64'),
    ...packagesOf('7.3.10+deb13-cloud-amd64'),
    ...packagesOf('7.2.12+deb13-cloud-amd64'),
    'linux-source-7.2',
    'linux-source-7.3',
  ];
  assert.deepEqual(newestKernel(names), {
    release: '7.3.10+deb13-cloud-amd64',
    image: 'linux-binary-7.3.10+deb13-cloud-amd64',
    modules: 'linux-modules-7.3.10+deb13-cloud-amd64',
    source: 'linux-source-7.3',
  });
});

test('a kernel without its image or its source in the archive is passed over', () => {
  const names = [
    ...packagesOf('7.3.4+deb13-cloud-amd64'),
    'linux-modules-7.3.5+deb13-cloud-amd64',
    ...packagesOf('7.4.1+deb13-cloud-amd64'),
    'linux-source-7.3',
  ];
  assert.equal(newestKernel(names).release, '7.3.4+deb13-cloud-amd64');
});

test('kernels of other flavours and other majors are not the lab kernel', () => {
  const names = [...packagesOf('7.3.4+deb13-amd64'), ...packagesOf('6.12.9+deb13-cloud-amd64'), 'linux-source-7.3'];
  assert.throws(() => newestKernel(names), /no kernel that matches/);
});

test('releases are ordered by their numbers', () => {
  assert.ok(compareReleases('7.3.4+deb13', '7.3.10+deb13') < 0);
  assert.ok(compareReleases('7.10.0+deb13', '7.9.9+deb13') > 0);
});
