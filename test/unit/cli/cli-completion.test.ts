import { execFileSync, spawnSync } from 'node:child_process'

import { expect, test } from 'vitest'

import { cliHere } from '../../support/cli/cli-here.ts'

const script = async (shell: string): Promise<string> => (await cliHere({})(['completion', shell])).stdout

/** The completions that bash offers for the last of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const type = [
    await script('bash'),
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    '_annals_completion',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ]
  const printed = execFileSync('bash', ['--norc'], { input: type.join('\n'), encoding: 'utf8' })
  return printed.split('\n').filter((line) => line !== '')
}

test('bash accepts the script, for annals and ./annals', async () => {
  const input = `${await script('bash')}\ncomplete -p annals ./annals`
  const printed = execFileSync('bash', ['--norc'], { input, encoding: 'utf8' })
  expect(printed).toBe(
    'complete -o default -F _annals_completion annals\ncomplete -o default -F _annals_completion ./annals\n',
  )
})

test.each<[string, string[], string[]]>([
  ['commands', ['annals', 'top'], ['topics']],
  ['commands within commands', ['annals', 'topics', 're'], ['repartition']],
  ['options of a command', ['./annals', 'topics', 'repartition', '--p'], ['--partitions']],
  ['options after arguments', ['annals', 'append', 'customer.c-1', 'X', '--exp'], ['--expected-version']],
  ['options of all commands', ['annals', 'doctor', '--js'], ['--json']],
  ['choices of an argument', ['annals', 'completion', 'z'], ['zsh']],
  ['no commands after a value', ['annals', 'verify', '--sample', ''], []],
])('%s are offered', async (_, words, expected) => {
  expect(await offered(...words)).toEqual(expected)
})

test('no options are offered after an option that takes a value', async () => {
  expect(await offered('annals', 'stream', 'history', '--limit', '--')).toEqual([])
  expect(await offered('annals', 'stream', 'history', '--backwards', '--lim')).toEqual(['--limit'])
})

const hasZsh = spawnSync('zsh', ['--version']).status === 0

test.runIf(hasZsh)('zsh accepts the script', async () => {
  expect(spawnSync('zsh', ['-n'], { input: await script('zsh') })).toMatchObject({ status: 0 })
})

test('another shell is rejected in one line', async () => {
  const end = await cliHere({})(['completion', 'fish'])
  expect(end).toMatchObject({ exitCode: 2, stdout: '' })
  expect(end.stderr).toContain('Allowed choices are bash, zsh')
})
