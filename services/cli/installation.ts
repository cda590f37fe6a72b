import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Environment } from '#config'

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

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The environment of a command. Addresses that it does not set are those of the stack that runs in this checkout (or under ANNALS_HOME).
 * If no stack runs, they follow from the variables that move its ports (`ANNALS_PORT` …). An environment that names another installation,
 * even in part, is returned unchanged, so that a command never mixes two installations.
 */
export function withInstallation(env: Environment): Environment {
  const home = resolve(env['ANNALS_HOME'] || join(checkout, '.annals'))
  const places = runningStack(home) ?? movedPorts(env)
  const given = Object.entries(places).filter(([place]) => (env[place] ?? '') !== '')
  const isAnother = given.some(([place, address]) => canonical(env[place]) !== canonical(address))
  return isAnother
    ? env
    : { ...env, ...places, ...Object.fromEntries(given.map(([place]) => [place, env[place]])) }
}

/** Undefined if no stack runs, or it is not ready yet. */
function runningStack(home: string): Places | undefined {
  try {
    const { ready, parts } = JSON.parse(readFileSync(join(home, 'run', 'stack.json'), 'utf8')) as StackFile
    if (!ready) return undefined
    const places = parts.flatMap(({ name, address }) => {
      const place = partNames[name]
      // The state file masks addresses with a password. The environment must set those.
      return place === undefined || address.includes('…') ? [] : [[place, address] as const]
    })
    return Object.fromEntries(places)
  } catch {
    return undefined
  }
}

interface StackFile {
  readonly ready: boolean
  readonly parts: readonly { readonly name: string; readonly address: string }[]
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

const canonical = (address = ''): string => address.replace('localhost', '127.0.0.1').replace(/\/+$/, '')
