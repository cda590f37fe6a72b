import { InvalidInputError, quote } from '#domain'

import type { DatabaseSettings } from './database.ts'

export interface PostgresSettings {
  /** `postgres://[user[:password]@]host[:port]/database`; parameters as `?sslmode=verify-full` are node-postgres's. */
  readonly url: string
  /** The schema of all tables. It is created when missing. Default `annals`. */
  readonly schema?: string
  /** Default 10. */
  readonly connectionsMax?: number
  /** How long a connection attempt, a lock wait or a statement may take before the store counts as unavailable. Default 10,000. */
  readonly timeoutMs?: number
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
  /** What to change in the settings after this error of a connection; added to the message. */
  readonly advise?: (error: unknown) => string | undefined
}

const connectionsMaxDefault = 10
const timeoutMsDefault = 10_000
const portDefault = '5432'

/** @throws InvalidInputError when the URL is malformed. The message does not repeat it, because it may contain a password. */
export function databaseSettings({
  url,
  connectionsMax,
  timeoutMs,
  advise,
}: PostgresSettings): DatabaseSettings {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new InvalidInputError(
      'postgres.url',
      'postgres.url is malformed: expected postgres://user:password@host:port/database',
    )
  }
  const host = parsed.hostname || (parsed.searchParams.get('host') ?? 'localhost')
  return {
    url,
    where: `${host}:${parsed.port || portDefault}${parsed.pathname}`,
    connectionsMax: connectionsMax ?? connectionsMaxDefault,
    timeoutMs: timeoutMs ?? timeoutMsDefault,
    ...(advise && { advise }),
  }
}

/** @throws InvalidInputError when PostgreSQL would truncate or reject the name. */
export function schemaName({ schema = 'annals' }: PostgresSettings): string {
  if (schema !== '' && Buffer.byteLength(schema) <= 63 && !schema.includes('\0') && !schema.startsWith('pg_'))
    return schema
  throw new InvalidInputError(
    'postgres.schema',
    `postgres.schema ${quote(schema)} is malformed: expected a name of 1 to 63 bytes that does not begin with pg_`,
  )
}
