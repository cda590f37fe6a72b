import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { Installation } from './real-writer.ts'
import { uniqueName } from './stack.ts'

/**
 * Settings of a service whose domain module has another definition of the views by customer: of view version 2, without
 * the first purchase's day. All else is as in the installation's module.
 */
export function changedLifetime({ domain }: Installation): Readonly<Record<string, string>> {
  const path = join(dirname(domain.modulePath), `${uniqueName('domain')}.ts`)
  writeFileSync(
    path,
    [
      `import domain from '${pathToFileURL(resolve(domain.modulePath)).href}'`,
      'const [lifetime, ...others] = domain.projections',
      'const apply = (view, event) => ({ ...lifetime.apply(view, event), first: null })',
      'const projections = [{ ...lifetime, viewVersion: 2, apply }, ...others]',
      'export default { ...domain, projections }',
      '',
    ].join('\n'),
  )
  return { ANNALS_DOMAIN: path }
}
