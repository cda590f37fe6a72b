import { parseArgs } from 'node:util'

import { settingsHelp } from '#config'

import { homeFrom, StackError, type StackFolders, stackFolders } from '../stack/index.ts'

const kinds = ['native', 'docker', 'external'] as const
export type StackKind = (typeof kinds)[number]

/** The settings of start.sh, from options and environment. */
export interface StackSettings {
  readonly kind: StackKind
  readonly detach: boolean
  /** Whether to import the customers example and print its results. */
  readonly demo: boolean
  readonly postgres: boolean
  readonly redisMaxMemory: string
  readonly folders: StackFolders
  /** The address on which the services listen. */
  readonly host: string
  readonly ports: Readonly<Record<PortName, number>>
  /** Servers to use instead of starting them. */
  readonly external: Readonly<Partial<Record<ExternalName, string>>>
}

/** Every port of the stack: the variable that sets it, and its default. */
export const portVariables = {
  platform: { variable: 'ANNALS_PORT', port: 7400 },
  kafka: { variable: 'ANNALS_KAFKA_PORT', port: 9092 },
  kafkaController: { variable: 'ANNALS_KAFKA_CONTROLLER_PORT', port: 9093 },
  // Not 6379, which a system's own Redis uses.
  redis: { variable: 'ANNALS_REDIS_PORT', port: 6380 },
  registry: { variable: 'ANNALS_REGISTRY_PORT', port: 8081 },
  postgres: { variable: 'ANNALS_POSTGRES_PORT', port: 5433 },
} as const
export type PortName = keyof typeof portVariables

/** The variables that name a server to use instead of starting one. */
export const externalVariables = {
  kafka: 'ANNALS_KAFKA_BROKERS',
  redis: 'ANNALS_REDIS_URL',
  registry: 'ANNALS_REGISTRY_URL',
} as const
export type ExternalName = keyof typeof externalVariables

/** The built-in projections, which the stack runs unless the environment selects some of them. */
export const builtInDefault = 'event-timeline,aggregate-statistics'

export const startHelp = `Usage: ./scripts/start.sh [--detach] [--no-demo] [--stack native|docker|external]

Starts Annals' local stack (Kafka, Redis, schema registry) and the platform (writer, snapshotter, projector), imports
the customers example, prints its results, and lists all addresses. In the foreground it runs until
Ctrl-C. A running stack is reported, not started twice. The example is imported only once.

  --detach         return as soon as everything is healthy; ./scripts/stop.sh stops it
  --no-demo        do not import the example (69,659 real purchases)
  --stack native   processes on this machine; the default, and what the tests run
  --stack docker   containers, from docker-compose.yml
  --stack external start the platform only; the environment names all servers
  --help           this text

Environment, with defaults:
${Object.values(portVariables)
  .map(({ variable, port }) => `  ${variable}=${port}\n`)
  .join('')}  ANNALS_POSTGRES=0              1 also starts PostgreSQL
  ANNALS_REDIS_MAX_MEMORY=512mb
  ANNALS_HOME=.annals            data, passwords, logs and state of this stack
  ANNALS_KAFKA_BROKERS=host:port,…  ANNALS_REDIS_URL=redis://…  ANNALS_REGISTRY_URL=http://…
                                 use these servers instead of starting them
  ANNALS_DOMAIN=path,…           domain modules; default: those of examples/
  ANNALS_SCHEMAS=path,…          folders of their schemas; default: schemas/

The platform also reads (docs/configuration.md):
${platformVariables()}`

/** Settings of the services, except those listed above. A function declaration, because the text above calls it. */
function platformVariables(): string {
  const listed = new Set<string>([
    ...Object.values(portVariables).map(({ variable }) => variable),
    ...Object.values(externalVariables),
    ...['ANNALS_DOMAIN', 'ANNALS_SCHEMAS'],
  ])
  return settingsHelp()
    .filter(({ variable }) => !listed.has(variable))
    .map(({ variable, standard, description }) => {
      const shown = variable === 'ANNALS_PROJECTOR_BUILT_IN' ? builtInDefault : standard
      return `  ${variable}=${shown}\n      ${description}`
    })
    .join('\n')
}

/**
 * Reads options and environment.
 * @returns undefined for --help
 * @throws StackError with exit code 2 that names the invalid option or variable
 */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): StackSettings | undefined {
  const { help, detach, 'no-demo': noDemo, stack } = parseStrictly(args)
  if (help) return undefined
  const external = readExternal(env)
  const kind = readKind(stack, external)
  return {
    kind,
    detach,
    demo: !noDemo,
    postgres: readSwitch(env, 'ANNALS_POSTGRES'),
    redisMaxMemory: readSize(env, 'ANNALS_REDIS_MAX_MEMORY', '512mb'),
    folders: stackFolders(homeFrom(env)),
    host: env['ANNALS_HOST'] || '127.0.0.1',
    ports: readPorts(env),
    external,
  }
}

function parseStrictly(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        detach: { type: 'boolean', short: 'd', default: false },
        'no-demo': { type: 'boolean', default: false },
        stack: { type: 'string', default: 'native' },
      },
    }).values
  } catch (error) {
    throw new StackError(`${(error as Error).message}\nSee ./scripts/start.sh --help`, 2)
  }
}

function readExternal(env: NodeJS.ProcessEnv): Partial<Record<ExternalName, string>> {
  const given = Object.entries(externalVariables).flatMap(([name, variable]) => {
    const value = env[variable]
    return value === undefined || value === '' ? [] : [[name, value] as const]
  })
  return Object.fromEntries(given)
}

function readKind(stack: string, external: Partial<Record<ExternalName, string>>): StackKind {
  const kind = kinds.find((known) => known === stack)
  if (kind === undefined) throw new StackError(`--stack ${stack}: expected one of ${kinds.join(', ')}`, 2)
  const named = Object.keys(external)
  const missing = Object.entries(externalVariables).filter(([name]) => !named.includes(name))
  if (kind === 'external' && missing.length > 0)
    throw new StackError(
      `--stack external starts no servers, so ${missing.map(([, v]) => v).join(' and ')} must be set`,
      2,
    )
  if (kind === 'docker' && named.length > 0)
    throw new StackError(
      `--stack docker starts all servers; unset ${named.map((name) => externalVariables[name as ExternalName]).join(', ')}, or use another --stack`,
      2,
    )
  return kind
}

function readPorts(env: NodeJS.ProcessEnv): Record<PortName, number> {
  const byPort = new Map<number, string>()
  const ports = Object.entries(portVariables).map(([name, { variable, port: standard }]) => {
    const text = env[variable] || String(standard)
    const port = Number(text)
    if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
      throw new StackError(`${variable} is ${text}; it must be a port from 1 to 65535`, 2)
    const other = byPort.get(port)
    if (other !== undefined)
      throw new StackError(`${other} and ${variable} are both ${port}; they must differ`, 2)
    byPort.set(port, variable)
    return [name, port] as const
  })
  return Object.fromEntries(ports) as Record<PortName, number>
}

function readSwitch(env: NodeJS.ProcessEnv, variable: string): boolean {
  const text = env[variable] || '0'
  if (text !== '0' && text !== '1') throw new StackError(`${variable} is ${text}; it must be 0 or 1`, 2)
  return text === '1'
}

function readSize(env: NodeJS.ProcessEnv, variable: string, standard: string): string {
  const text = env[variable] || standard
  if (!/^\d+(kb|mb|gb)?$/i.test(text))
    throw new StackError(
      `${variable} is ${text}; it must be a size in the notation of Redis, such as 512mb or 2gb`,
      2,
    )
  return text
}
