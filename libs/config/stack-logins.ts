import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Environment } from './load-config.ts'

/** The servers of the local stack that ask for a password. */
export const stackPasswordNames = ['kafka', 'redis', 'postgres'] as const
type PasswordName = (typeof stackPasswordNames)[number]

/** Passwords by server. */
export type StackPasswords = Readonly<Partial<Record<PasswordName, string>>>

/** Addresses of those servers, `host:port` or URLs; absent: the stack does not run one of its own. */
export type StackServers = Readonly<Partial<Record<PasswordName, string>>>

/** The user of the local stack at Kafka and PostgreSQL. Redis has its default user. */
export const stackUser = 'annals'

/** The passwords in `secrets/` of this home of a stack, which start.sh makes. Those that do not exist are left out. */
export function stackPasswords(home: string): StackPasswords {
  const found = stackPasswordNames.flatMap((name) => {
    const password = read(join(home, 'secrets', name))
    return password === undefined ? [] : [[name, password] as const]
  })
  return Object.fromEntries(found)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * The variables with which an environment logs in to those servers of a stack that its addresses name. Other servers,
 * and URLs that have a password, are left alone.
 */
export const stackLogins = (
  env: Environment,
  servers: StackServers,
  passwords: StackPasswords,
): Readonly<Record<string, string>> => ({
  ...kafkaLogin(env, servers, passwords),
  ...redisLogin(env, servers, passwords),
  ...postgresLogin(env, servers, passwords),
})

type Logins = (
  env: Environment,
  servers: StackServers,
  passwords: StackPasswords,
) => Readonly<Record<string, string>>

const kafkaLogin: Logins = ({ ANNALS_KAFKA_BROKERS: brokers }, servers, passwords) =>
  passwords.kafka === undefined || !isSame(brokers, servers.kafka)
    ? {}
    : {
        ANNALS_KAFKA_SASL_MECHANISM: 'PLAIN',
        ANNALS_KAFKA_SASL_USERNAME: stackUser,
        ANNALS_KAFKA_SASL_PASSWORD: passwords.kafka,
      }

const redisLogin: Logins = ({ ANNALS_REDIS_URL: url = '' }, servers, passwords) =>
  passwords.redis === undefined || !isSame(url, servers.redis)
    ? {}
    : { ANNALS_REDIS_URL: withLogin(url, '', passwords.redis) }

/** A projector that stores views in PostgreSQL and names none uses that of the stack. */
const postgresLogin: Logins = (env, { postgres }, passwords) => {
  const { ANNALS_PROJECTOR_POSTGRES_URL: given = '', ANNALS_PROJECTOR_STORE: store } = env
  const url = given === '' && store === 'postgres' ? (postgres ?? '') : given
  return passwords.postgres === undefined || !isSame(url, postgres)
    ? {}
    : { ANNALS_PROJECTOR_POSTGRES_URL: withLogin(url, stackUser, passwords.postgres) }
}

function withLogin(text: string, user: string, password: string): string {
  const url = new URL(text)
  if (url.password === '') {
    url.username ||= user
    url.password = password
  }
  return url.href
}

/** Whether two addresses lead to the same port of this machine. */
const isSame = (one = '', other = ''): boolean => one !== '' && placeOf(one) === placeOf(other)

function placeOf(address: string): string {
  const url = URL.parse(address.includes('://') ? address : `tcp://${address}`)
  const host = url?.hostname === 'localhost' ? '127.0.0.1' : url?.hostname
  return url === null ? address : `${host ?? ''}:${url.port}`
}
