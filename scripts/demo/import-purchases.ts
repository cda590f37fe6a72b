import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { repository, StackError } from '../stack/index.ts'

const file = join('examples', 'customers', 'cdnow.txt')
const mapping = join('examples', 'customers', 'cdnow.mapping.json')

/**
 * Imports the purchases with the regular import command. Its progress bar is visible.
 * @returns the duration in seconds
 * @throws StackError when the import fails
 */
export async function importPurchases(url: string): Promise<number> {
  const startedAt = performance.now()
  const command = join(repository, 'services', 'cli', 'main.ts')
  const child = spawn(process.execPath, [command, 'import', file, '--mapping', mapping, '--url', url], {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  if (exitCode === 0) return (performance.now() - startedAt) / 1_000
  throw new StackError(
    `the import of ${file} ended with exit code ${String(exitCode)}. Start again to resume it; --no-demo skips it`,
  )
}
