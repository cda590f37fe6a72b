import { stackLogins, stackPasswords, type StackServers } from '#config'

import { provideSecrets } from '../stack/index.ts'
import type { StackSettings } from './settings.ts'
import type { StackState } from './state.ts'

/**
 * What a service of this stack has in its environment beyond that of the start command: the addresses of the servers,
 * and the logins of those that the stack runs itself.
 */
export function serviceEnvironment(
  settings: StackSettings,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const { ports, external, kind, folders } = settings
  const own = {
    kafka: `127.0.0.1:${ports.kafka}`,
    redis: `redis://127.0.0.1:${ports.redis}`,
    postgres: postgresUrl(ports.postgres),
  }
  const addresses = {
    ANNALS_KAFKA_BROKERS: external.kafka ?? own.kafka,
    ANNALS_REDIS_URL: external.redis ?? own.redis,
    ANNALS_REGISTRY_URL: external.registry ?? `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
    ANNALS_PORT: String(ports.platform),
  }
  const servers = {
    ...(external.kafka === undefined && { kafka: own.kafka }),
    ...(external.redis === undefined && { redis: own.redis }),
    ...(kind !== 'external' && settings.postgres && { postgres: own.postgres }),
  }
  if (Object.keys(servers).length === 0) return addresses
  return { ...addresses, ...stackLogins({ ...env, ...addresses }, servers, provideSecrets(folders)) }
}

/** The logins of a running stack's servers, for a command that connects to them. */
export function loginsOf({ parts }: StackState, { folders }: StackSettings, env: NodeJS.ProcessEnv) {
  return stackLogins(env, serversOf(parts), stackPasswords(folders.home))
}

const partNames = { kafka: 'Kafka', redis: 'Redis', postgres: 'PostgreSQL' } as const

function serversOf(parts: StackState['parts']): StackServers {
  const found = Object.entries(partNames).flatMap(([server, name]) => {
    const part = parts.find((one) => one.name === name && one.needsLogin === true)
    return part === undefined ? [] : [[server, part.address] as const]
  })
  return Object.fromEntries(found)
}

/** Of the PostgreSQL of the stack, without its password. */
export function postgresUrl(port: number): string {
  return `postgres://annals@127.0.0.1:${port}/postgres`
}
