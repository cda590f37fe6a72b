import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { pathToFileURL } from 'node:url'

import { describe, expect, test } from 'vitest'

import { variants } from './catalogue.ts'
import { brokenSource } from './variant.ts'

const startMsMax = 60_000

/** A module that prints the source of another one as it is finally loaded. */
const printing = (module: string): string =>
  `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module'
    registerHooks({
      load(url, context, nextLoad) {
        const loaded = nextLoad(url, context)
        if (url === '${module}') process.stdout.write(String(loaded.source))
        return loaded
      },
    })`)}`

const brokenModules = variants.flatMap(({ name, modules }) =>
  modules.map((broken) => ({ name, module: broken.module, broken })),
)

describe.each(brokenModules)('the variant $name in $module', ({ name, broken }) => {
  const source = readFileSync(broken.module, 'utf8')

  test('still finds the text that it replaces', () => {
    expect(brokenSource(name, broken, source)).not.toBe(source)
  })

  test('can be loaded', () => {
    expect(() => stripTypeScriptTypes(brokenSource(name, broken, source))).not.toThrow()
  })

  test(
    'takes effect in a process that preloads it',
    () => {
      const preload = new URL(`preload.ts?variant=${name}`, import.meta.url).href
      const module = pathToFileURL(broken.module).href
      const args = [
        '--import',
        preload,
        '--import',
        printing(module),
        '--input-type=module',
        '-e',
        `import '${module}'`,
      ]
      const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: startMsMax })
      expect(stdout).toBe(brokenSource(name, broken, source))
    },
    startMsMax,
  )
})

test('a variant whose text is missing or occurs twice is rejected with an error', () => {
  const broken = { module: 'a.ts', replacements: [{ text: 'x()', by: '' }] }
  expect(() => brokenSource('void', broken, 'y()')).toThrow(
    'variant void: expected this text once in a.ts, found it 0 times',
  )
  expect(() => brokenSource('void', broken, 'x(); x()')).toThrow('found it 2 times')
})
