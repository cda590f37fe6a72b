import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { provideSecrets, repository, runCommand, StackError, writePrivateFile } from '../stack/index.ts'
import type { Part, RunningPart } from './part.ts'
import { postgresUrl } from './environment.ts'
import type { StackSettings } from './settings.ts'

const upMsMax = 600_000
const downMsMax = 120_000

/** The parts of docker-compose.yml as a single part. */
export function docker(settings: StackSettings): Part {
  return {
    name: 'Containers',
    ports: [],
    start: async (report) => {
      assertEngine()
      report('Starting containers from docker-compose.yml; the first time, images are downloaded')
      try {
        await compose(settings, upMsMax, 'up', '--detach', '--wait')
      } catch (error) {
        await composeDown(settings, false)
        throw error
      }
      return containerParts(settings)
    },
  }
}

/** Stops and removes the containers; also their data if `purge` is true. */
export async function composeDown(settings: ComposeSettings, purge: boolean): Promise<void> {
  await compose(settings, downMsMax, 'down', ...(purge ? ['--volumes'] : []))
}

/** The settings that docker-compose.yml reads from the environment. */
type ComposeSettings = Pick<StackSettings, 'ports' | 'redisMaxMemory' | 'postgres' | 'folders'>

async function compose(
  { ports, redisMaxMemory, postgres, folders }: ComposeSettings,
  timeoutMs: number,
  ...args: string[]
) {
  const profile = postgres ? ['--profile', 'postgres'] : []
  const envFile = passwordFile(folders)
  await runCommand('docker', ['compose', '--env-file', envFile, ...profile, ...args], {
    cwd: repository,
    timeoutMs,
    env: {
      ANNALS_KAFKA_PORT: String(ports.kafka),
      ANNALS_REDIS_PORT: String(ports.redis),
      ANNALS_REGISTRY_PORT: String(ports.registry),
      ANNALS_POSTGRES_PORT: String(ports.postgres),
      ANNALS_REDIS_MAX_MEMORY: redisMaxMemory,
    },
  })
}

/** The passwords as variables of docker-compose.yml, which has no others: a use of it without this file fails. */
export function passwordFile(folders: StackSettings['folders']): string {
  const passwords = provideSecrets(folders)
  const file = join(folders.secrets, 'compose.env')
  const lines = Object.entries(passwords).map(
    ([name, password]) => `ANNALS_${name.toUpperCase()}_PASSWORD=${password}\n`,
  )
  writePrivateFile(file, lines.join(''))
  return file
}

function assertEngine(): void {
  const { error, status, stderr } = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' })
  const engine = spawnSync('docker', ['info'], { encoding: 'utf8', timeout: 20_000 })
  if (error === undefined && status === 0 && engine.status === 0) return
  const why = error === undefined ? `${stderr}${engine.stderr}`.trim() : 'there is no docker command'
  throw new StackError(
    `--stack docker needs a container engine with compose, and none answers: ${why.slice(-300)}\nStart the engine, or use --stack native.`,
  )
}

function containerParts(settings: StackSettings): RunningPart[] {
  const { ports } = settings
  const addresses: [string, string][] = [
    ['Kafka', `127.0.0.1:${ports.kafka}`],
    ['Redis', `redis://127.0.0.1:${ports.redis}`],
    ['Schema registry', `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`],
  ]
  if (settings.postgres) addresses.push(['PostgreSQL', postgresUrl(ports.postgres)])
  // The engine restarts containers and knows their health. They are stopped once, all together.
  let stopped: Promise<void> | undefined
  return addresses.map(([name, address]) => ({
    name,
    address,
    pids: [],
    needsLogin: name !== 'Schema registry',
    ended: new Promise<string>(() => undefined),
    healthy: () => Promise.resolve(true),
    stop: () => (stopped ??= composeDown(settings, false)),
  }))
}
