import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this checkout. */
export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Where downloads live: with the checkout, like node_modules, whatever ANNALS_HOME says. */
export const distFolder = join(repository, '.annals', 'dist')

/** Where a stack lives unless the environment says otherwise. */
export const defaultHome = join(repository, '.annals')

/** The folders of one stack. */
export interface StackFolders {
  readonly home: string
  /** What must survive a restart; `stop.sh --purge` deletes it. */
  readonly data: string
  readonly logs: string
  /** What describes the running stack. */
  readonly run: string
}

/** The folders below a state folder. */
export function stackFolders(home: string): StackFolders {
  return { home, data: join(home, 'data'), logs: join(home, 'logs'), run: join(home, 'run') }
}

/** The state folder that the environment names: ANNALS_HOME, else `.annals` in the checkout. */
export function homeFrom(env: NodeJS.ProcessEnv): string {
  return resolve(env['ANNALS_HOME'] || defaultHome)
}
