import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { Installation } from './real-writer.ts'
import { uniqueName } from '../stack/stack.ts'

/**
 * Settings of a service whose domain module defines the views by customer differently: view version 2, without the first
 * purchase's day. Everything else equals the installation's module.
 */
export const changedLifetime = (where: Installation): Readonly<Record<string, string>> =>
  withLifetime(where, [
    'const apply = (view, event) => ({ ...lifetime.apply(view, event), first: null })',
    'const changed = { ...lifetime, viewVersion: 2, apply }',
  ])

/** Size of a text in each of the wide views. */
export const wideBytes = 40_000

/** Settings of a service with views by customer so large that network buffers hold only a few. */
export const wideLifetime = (where: Installation): Readonly<Record<string, string>> =>
  withLifetime(where, [
    'const { schema, ...rest } = lifetime',
    `const apply = (view, event) => ({ ...lifetime.apply(view, event), wide: 'x'.repeat(${wideBytes}) })`,
    'const changed = { ...rest, apply }',
  ])

/** @param lines statements that define `changed` from `lifetime`. */
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
