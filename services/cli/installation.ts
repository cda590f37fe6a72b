import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { type Environment, stackLogins, stackPasswords, type StackServers } from '#config'

/** A setting that holds the address of a service or a server. */
type Place = 'ANNALS_URL' | 'ANNALS_KAFKA_BROKERS' | 'ANNALS_REDIS_URL' | 'ANNALS_REGISTRY_URL'
type Places = Readonly<Partial<Record<Place, string>>>

/** The setting for each part that the state of a running stack (stack.json) lists. */
const partNames: Readonly<Record<string, Place>> = {
  Platform: 'ANNALS_URL',
  Kafka: 'ANNALS_KAFKA_BROKERS',
  Redis: 'ANNALS_REDIS_URL',
  'Schema registry': 'ANNALS_REGISTRY_URL',
}

/** The servers of a stack that may ask for its passwords. */
const serverNames: Readonly<Record<string, keyof StackServers>> = {
  Kafka: 'kafka',
  Redis: 'redis',
  PostgreSQL: 'postgres',
}

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The environment of a command. Addresses that it does not set are those of the stack that runs in this checkout (or under ANNALS_HOME),
 * with the logins of its servers. If no stack runs, they follow from the variables that move its ports (`ANNALS_PORT` …). An environment
 * that names another installation, even in part, is returned unchanged, so that a command never mixes two installations.
 */
export function withInstallation(env: Environment): Environment {
  const home = resolve(env['ANNALS_HOME'] || join(checkout, '.annals'))
  const stack = runningStack(home)
  const places = stack?.places ?? movedPorts(env)
  const given = Object.entries(places).filter(([place]) => (env[place] ?? '') !== '')
  const isAnother = given.some(([place, address]) => canonical(env[place]) !== canonical(address))
  if (isAnother) return env
  const completed = { ...env, ...places, ...Object.fromEntries(given.map(([place]) => [place, env[place]])) }
  return { ...completed, ...stackLogins(completed, stack?.servers ?? {}, stackPasswords(home)) }
}

interface Stack {
  readonly places: Places
  /** Those that ask for a login. */
  readonly servers: StackServers
}

/** Undefined if no stack runs, or it is not ready yet. */
function runningStack(home: string): Stack | undefined {
  try {
    const { ready, parts } = JSON.parse(readFileSync(join(home, 'run', 'stack.json'), 'utf8')) as StackFile
    if (!ready) return undefined
    const places = parts.flatMap(({ name, address }) => {
      const place = partNames[name]
      // The state file masks addresses with a password. The environment must set those.
      return place === undefined || address.includes('…') ? [] : [[place, address] as const]
    })
    const servers = parts.flatMap(({ name, address, needsLogin }) => {
      const server = serverNames[name]
      return server === undefined || needsLogin !== true ? [] : [[server, address] as const]
    })
    return { places: Object.fromEntries(places), servers: Object.fromEntries(servers) }
  } catch {
    return undefined
  }
}

interface StackFile {
  readonly ready: boolean
  readonly parts: readonly {
    readonly name: string
    readonly address: string
    readonly needsLogin?: boolean
  }[]
}

const portVariables = [
  ['ANNALS_PORT', 'ANNALS_URL', (port: string) => `http://127.0.0.1:${port}`],
  ['ANNALS_KAFKA_PORT', 'ANNALS_KAFKA_BROKERS', (port: string) => `127.0.0.1:${port}`],
  ['ANNALS_REDIS_PORT', 'ANNALS_REDIS_URL', (port: string) => `redis://127.0.0.1:${port}`],
  [
    'ANNALS_REGISTRY_PORT',
    'ANNALS_REGISTRY_URL',
    (port: string) => `http://127.0.0.1:${port}/apis/ccompat/v7`,
  ],
] as const

function movedPorts(env: Environment): Places {
  const moved = portVariables.flatMap(([variable, place, addressAt]) => {
    const port = env[variable] ?? ''
    return /^[1-9]\d{0,4}$/.test(port) ? [[place, addressAt(port)] as const] : []
  })
  return Object.fromEntries(moved)
}

/** Without the login, which may be that of the stack. */
const canonical = (address = ''): string =>
  address
    .replace('localhost', '127.0.0.1')
    .replace(/\/\/[^/@]*@/, '//')
    .replace(/\/+$/, '')
