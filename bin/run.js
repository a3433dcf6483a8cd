#!/usr/bin/env node
/* Parsed by any Node since 0.10: nothing newer than ES5 before the version check. */
var needed = 22;
var major = parseInt(process.versions.node.split('.')[0], 10);
if (major < needed) {
  process.stderr.write('ublkts needs Node ' + needed + ' or newer; this is Node ' + process.versions.node + '\n');
  process.stderr.write('hint: install a newer Node; in a checkout: npm start, or node_modules/.bin/node bin/run.js\n');
  process.exit(3);
}
try {
  require('../dist/main.cjs').main().then(leave).catch(notLoaded);
} catch (error) {
  notLoaded(error);
}

/*
 * A command that has ended waits only until its output is read. The file of a target may have left a timer or a socket, and a
 * thread may wait for a file system, for a name server that does not answer, or for whatever a target that is checked asks for.
 * With nothing left to wait for it ends at once, and does not take apart what the kernel frees anyway.
 */
function leave() {
  process.once('beforeExit', exit);
  var hasThreads = /^(add|recover|update[_-]size|nbd-info|target)$/.test(process.argv[2]);
  if (!hasThreads && process.argv[2] !== 'help') return;
  setTimeout(function () {
    process.stdout.write('', function () {
      process.stderr.write('', hasThreads ? exitWithoutThreads : exit);
    });
  }, 500).unref();
}

function exitWithoutThreads() {
  require('../dist/main.cjs').waitForNoThread().then(exit, exit);
}

function exit() {
  process.exit();
}

/* The program reports its own failures; here not even its modules could be read. */
function notLoaded(error) {
  if (!/EMFILE|too many open files/i.test(error.code + ' ' + error.message)) throw error;
  process.stderr.write('ublkts: too many open files: not even the program can be loaded (EMFILE)\n');
  process.stderr.write('hint: raise the limit of open files: ulimit -n 1024, or LimitNOFILE= in a systemd unit\n');
  process.exitCode = 1;
}
