import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this checkout. */
export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Downloads are stored in the checkout, like node_modules, independent of ANNALS_HOME. */
export const distFolder = join(repository, '.annals', 'dist')

/** Class-data archives of the downloaded servers, see class-data.ts. */
export const classDataFolder = join(repository, '.annals', 'class-data')

/** The default home of a stack. */
export const defaultHome = join(repository, '.annals')

/** The folders of one stack. */
export interface StackFolders {
  readonly home: string
  /** Data that survive a restart; `stop.sh --purge` deletes them. */
  readonly data: string
  readonly logs: string
  /** The description of the running stack. */
  readonly run: string
  /** Passwords of the servers; they outlive the data. */
  readonly secrets: string
}

/** The folders of a stack with this home. */
export function stackFolders(home: string): StackFolders {
  const [data = '', logs = '', run = '', secrets = ''] = ['data', 'logs', 'run', 'secrets'].map((name) =>
    join(home, name),
  )
  return { home, data, logs, run, secrets }
}

/** The home from the environment: ANNALS_HOME, otherwise `.annals` in the checkout. */
export function homeFrom(env: NodeJS.ProcessEnv): string {
  return resolve(env['ANNALS_HOME'] || defaultHome)
}
