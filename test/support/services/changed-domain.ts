import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { Installation } from './real-writer.ts'
import { uniqueName } from '../stack/stack.ts'

/**
 * Settings of a service whose domain module has another definition of the views by customer: of view version 2, without
 * the first purchase's day. All else is as in the installation's module.
 */
export const changedLifetime = (where: Installation): Readonly<Record<string, string>> =>
  withLifetime(where, [
    'const apply = (view, event) => ({ ...lifetime.apply(view, event), first: null })',
    'const changed = { ...lifetime, viewVersion: 2, apply }',
  ])

/** Bytes of a text that is in each of the wide views. */
export const wideBytes = 40_000

/** Settings of a service whose views by customer are so large that not many of them fit into what a network holds. */
export const wideLifetime = (where: Installation): Readonly<Record<string, string>> =>
  withLifetime(where, [
    'const { schema, ...rest } = lifetime',
    `const apply = (view, event) => ({ ...lifetime.apply(view, event), wide: 'x'.repeat(${wideBytes}) })`,
    'const changed = { ...rest, apply }',
  ])

/** @param lines that make `changed` out of `lifetime`. */
function withLifetime({ domain }: Installation, lines: readonly string[]): Readonly<Record<string, string>> {
  const path = join(dirname(domain.modulePath), `${uniqueName('domain')}.ts`)
  writeFileSync(
    path,
    [
      `import domain from '${pathToFileURL(resolve(domain.modulePath)).href}'`,
      'const [lifetime, ...others] = domain.projections',
      ...lines,
      'export default { ...domain, projections: [changed, ...others] }',
      '',
    ].join('\n'),
  )
  return { ANNALS_DOMAIN: path }
}
