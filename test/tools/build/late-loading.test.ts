/** The bundler's plugins that make a file load another one when it is used. Pure: text to text. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireLater, takeBuiltins } from '../../../tools/build/late-loading.ts';
import { requireLate } from '../../../tools/build/late-requires.ts';

describe("a module of oclif's requires another one when it uses it", () => {
  test('calls, constructors, default imports and the name alone', () => {
    const code = [
      'const ux_1 = require("./ux");',
      'const cache_1 = __importDefault(require("./cache"));',
      '(0, ux_1.colorize)(cache_1.default.of(1));',
      'throw new ux_1.Fault("ux_1");',
      'exports.ux = ux_1;',
    ].join('\n');
    assert.deepEqual(requireLate(code).split('\n'), [
      'const ux_1 = () => require("./ux");',
      'const cache_1 = () => __importDefault(require("./cache"));',
      '(0, (ux_1().colorize))((cache_1().default).of(1));',
      'throw new (ux_1().Fault)("ux_1()");',
      'exports.ux = ux_1();',
    ]);
  });

  test('a name that is part of another one is left alone', () => {
    const code = 'const ux_1 = require("./ux");\nconst ux_10 = 1, $ux_1 = ux_10;';
    assert.equal(requireLate(code), 'const ux_1 = () => require("./ux");\nconst ux_10 = 1, $ux_1 = ux_10;');
  });
});

describe('a chunk of CommonJS', () => {
  test("requires another chunk and Node's own modules when it uses them", () => {
    const code =
      'const require_a$1 = require("./a.cjs");\nlet node_net = require("node:net");\nrequire_a$1.b(node_net.c);\n';
    assert.equal(
      requireLater(code),
      'let require_a$1_loaded; const require_a$1 = () => (require_a$1_loaded ??= require("./a.cjs"));\n' +
        'const node_net = () => process.getBuiltinModule("node:net");\n' +
        '(require_a$1().b)((node_net().c));\n',
    );
  });

  test('requires at once what every file uses, and what becomes a namespace', () => {
    for (const code of [
      'let node_fs = require("node:fs");\nnode_fs.a();\n',
      'let node_os = require("node:os");\nnode_os = __toESM(node_os, 1);\n',
      'const require_rolldown_runtime = require("./rolldown-runtime.cjs");\n',
    ]) {
      assert.equal(requireLater(code), code);
    }
  });
});

test("an ES module imports nothing of Node's own", () => {
  const from = 'globalThis.process.getBuiltinModule';
  const code =
    'import path, { join as join$1 } from "node:path";\nimport * as fs from "node:fs";\nimport x from "./x.js";';
  assert.equal(
    takeBuiltins(code),
    `const path = ${from}("node:path"), { join: join$1 } = ${from}("node:path");\n` +
      `const fs = ${from}("node:fs");\nimport x from "./x.js";`,
  );
});
