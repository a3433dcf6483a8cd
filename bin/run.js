#!/usr/bin/env node
/* Parsed by any Node since 0.10: nothing newer than ES5 before the version check. */
var needed = 22;
var major = parseInt(process.versions.node.split('.')[0], 10);
if (major < needed) {
  process.stderr.write('ublkts needs Node ' + needed + ' or newer; this is Node ' + process.versions.node + '\n');
  process.exit(3);
}
void import('../dist/main.js').then(function (program) {
  return program.main();
});
