import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DockerComposeEnvironment, getContainerRuntimeClient, Wait } from 'testcontainers'
import {
  freePorts,
  missingForNative,
  provideNativeTools,
  repository,
  StackError,
  startKafka,
  startRedis,
  startRegistry,
} from '../../../scripts/stack/index.ts'
import type { TestStack } from './stack.ts'

/** A stack, and how to stop what was started for it. */
export interface OpenStack {
  readonly stack: TestStack
  readonly close: () => Promise<void>
}

const variants = { external, native, testcontainers }
type Variant = keyof typeof variants
const variables = ['ANNALS_KAFKA_BROKERS', 'ANNALS_REDIS_URL', 'ANNALS_REGISTRY_URL'] as const

/**
 * Opens the stack for tests: the one named in the environment, else a native one, else one in containers.
 * ANNALS_TEST_STACK forces one of them.
 * @throws StackError with the reason when no stack is available
 */
export async function openTestStack(env: NodeJS.ProcessEnv): Promise<OpenStack> {
  return variants[await chooseVariant(env)](env)
}

async function chooseVariant(env: NodeJS.ProcessEnv): Promise<Variant> {
  const forced = env['ANNALS_TEST_STACK']
  if (forced) {
    if (Object.hasOwn(variants, forced)) return forced as Variant
    throw new StackError(`ANNALS_TEST_STACK is ${forced}; it may be ${Object.keys(variants).join(', ')}`, 2)
  }
  if (variables.some((name) => env[name])) return 'external'
  const missing = missingForNative()
  if (missing.length === 0) return 'native'
  if (await containerEngineAnswers()) return 'testcontainers'
  throw new StackError(`The tests need a stack. ${missing.join('\n')}\nNor does a container engine answer.`)
}

async function containerEngineAnswers(): Promise<boolean> {
  try {
    await getContainerRuntimeClient()
    return true
  } catch {
    return false
  }
}

function external(env: NodeJS.ProcessEnv): Promise<OpenStack> {
  const [brokers, redisUrl, registryUrl] = variables.map((name) => env[name])
  if (!brokers || !redisUrl || !registryUrl)
    throw new StackError(`An external stack for tests needs all of ${variables.join(', ')}`, 2)
  const stack = { kafkaBrokers: brokers.split(','), redisUrl, registryUrl }
  return Promise.resolve({ stack, close: () => Promise.resolve() })
}

async function native(): Promise<OpenStack> {
  const report = (line: string) => process.stderr.write(`[stack] ${line}\n`)
  provideNativeTools(report)
  const folder = await mkdtemp(join(tmpdir(), 'annals-test-'))
  const log = (name: string) => join(folder, 'logs', `${name}.log`)
  const [port = 0, controllerPort = 0, redisPort = 0, registryPort = 0] = await freePorts(4)
  const [kafka, redis, registry] = await Promise.all([
    startKafka({ port, controllerPort, folder: join(folder, 'kafka'), logFile: log('kafka'), report }),
    startRedis({ port: redisPort, folder: join(folder, 'redis'), logFile: log('redis'), report }),
    startRegistry({
      port: registryPort,
      kafkaBrokers: `127.0.0.1:${port}`,
      folder: join(folder, 'registry'),
      logFile: log('registry'),
      report,
    }),
  ])
  return {
    stack: { kafkaBrokers: [kafka.address], redisUrl: redis.url, registryUrl: registry.url },
    close: async () => {
      await registry.stop()
      await Promise.all([kafka.stop(), redis.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const composeFiles = ['docker-compose.yml', 'test/support/stack/compose.open.yml']

/** The services of docker-compose.yml, without passwords, with a unique project name and free ports. */
async function testcontainers(): Promise<OpenStack> {
  if (!(await containerEngineAnswers()))
    throw new StackError('ANNALS_TEST_STACK=testcontainers needs a container engine, but none answers.')
  const [kafka = 0, redis = 0, registry = 0] = await freePorts(3)
  const environment = await new DockerComposeEnvironment(repository, composeFiles)
    .withEnvironment({
      ANNALS_KAFKA_PORT: String(kafka),
      ANNALS_REDIS_PORT: String(redis),
      ANNALS_REGISTRY_PORT: String(registry),
      // docker-compose.yml demands them.
      ...{ ANNALS_KAFKA_PASSWORD: '-', ANNALS_REDIS_PASSWORD: '-', ANNALS_POSTGRES_PASSWORD: '-' },
    })
    .withDefaultWaitStrategy(Wait.forHealthCheck())
    .up()
  return {
    stack: {
      kafkaBrokers: [`127.0.0.1:${kafka}`],
      redisUrl: `redis://127.0.0.1:${redis}`,
      registryUrl: `http://127.0.0.1:${registry}/apis/ccompat/v7`,
    },
    close: async () => {
      await environment.down({ removeVolumes: true })
    },
  }
}
