/** What is written from the commands does not drift from them. Needs a build, as everything that runs the program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { documents } from '../../src/cli/docs/documents.ts';
import { ROOT, ublkts } from './run.ts';

const written = await documents();

describe('`npm run docs` has been run since the commands changed', () => {
  for (const [path, text] of written) {
    test(path, () => assert.equal(readFileSync(`${ROOT}${path}`, 'utf8'), text));
  }
});

test('`completion` prints what is in docs/', () => {
  const files = { bash: 'ublkts.bash', zsh: '_ublkts', fish: 'ublkts.fish' };
  for (const [shell, file] of Object.entries(files)) {
    assert.equal(ublkts(`completion ${shell}`).stdout, written.get(`docs/completions/${file}`));
  }
});

describe('bash completes', () => {
  const lines: [typed: string, words: string][] = [
    ['ublkts upda', 'update-size update_size'],
    ['ublkts completion ', 'bash zsh fish'],
    ['ublkts list --fo', '--format'],
    ['ublkts list --format ', 'kublk table json'],
    ['ublkts update-size --s', '--size'],
    ['ublkts lab r', 'run'],
    ['ublkts add -t nu', 'null'],
    ['ublkts add -t examples/ra', 'examples/ram.ts'],
    ['ublkts target check examples/ra', 'examples/ram.ts'],
    ['ublkts add --tls_psk_file examples/ra', 'examples/ram.ts'],
    ['ublkts add --tls_verify_peer ', 'yes no'],
    ['ublkts add --data_path get', 'get_data'],
    ['ublkts set-params --param_types ba', ''],
    ['ublkts add --csum-type n', 'nvme'],
    ['ublkts add --shmem-', '--shmem-zc'],
    ['ublkts help mon', 'monitor'],
    ['ublkts help lab r', 'run'],
    // bash hands `--format=ta` over as three words.
    ['ublkts list --format = ta', 'table'],
    ['ublkts list --format =', 'kublk table json'],
    // The value of this flag stands behind an equals sign, and nowhere else.
    ['ublkts add --server examples/ra', 'examples/ram.ts'],
    ['ublkts add --server = examples/ra', ''],
    ['ublkts add -t nbd -- mapf', 'mapfile'],
    ['ublkts add -t nbd -- cat --format examples/ra', 'examples/ram.ts'],
    ['ublkts lab run -- mapf', 'mapfile'],
    ['ublkts lab run -- cat examples/ra', 'examples/ram.ts'],
  ];
  for (const [typed, words] of lines) test(typed, () => assert.equal(bashCompletes(typed), words));
});

test('bash adds a slash to the name of a directory, and not to a word that a directory happens to have', () => {
  assert.match(
    readFileSync(`${ROOT}docs/completions/ublkts.bash`, 'utf8'),
    /compopt -o filenames[^]*\ncomplete -F _ublkts ublkts\n/,
  );
});

function bashCompletes(typed: string): string {
  const script = `source docs/completions/ublkts.bash
    IFS=' ' read -ra COMP_WORDS <<< "$1"
    [[ $1 == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _ublkts
    echo "\${COMPREPLY[*]}"`;
  return spawnSync('bash', ['-c', script, 'bash', typed], { cwd: ROOT, encoding: 'utf8' }).stdout.trim();
}
