import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { appended } from '../domain/domain.ts'
import type { Contender } from './contender.ts'

const folder = join(import.meta.dirname, '../emmett')
const entry = join(folder, 'node_modules/@event-driven-io/emmett-postgresql/dist/index.js')

/** The part of Emmett's PostgreSQL event store that is used. Its own types are available only where it is installed. */
interface Emmett {
  readonly getPostgreSQLEventStore: (connection: string) => {
    readonly schema: { migrate(): Promise<unknown> }
    appendToStream(stream: string, events: readonly object[], options: object): Promise<unknown>
    close(): Promise<void>
  }
}

/**
 * Starts Emmett on PostgreSQL, in process. It is installed separately in the bench, because it needs other versions of
 * packages than Annals.
 */
export async function startEmmett(postgresUrl: string): Promise<Contender> {
  if (!existsSync(entry)) execFileSync('npm', ['ci', '--prefix', folder], { stdio: 'ignore' })
  const { getPostgreSQLEventStore } = (await import(pathToFileURL(entry).href)) as Emmett
  const store = getPostgreSQLEventStore(postgresUrl)
  await store.schema.migrate()
  return {
    append: (stream) =>
      store.appendToStream(stream, [appended], { expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' }),
    close: () => store.close(),
  }
}
