import { expect, test } from 'vitest'
import { settingsHelp } from '#config'

import type { StackError } from '../stack/index.ts'
import { portVariables, readSettings, startHelp } from './settings.ts'

test('without options and variables the stack is native, in the foreground and on its default ports', () => {
  expect(readSettings([], {})).toMatchObject({
    kind: 'native',
    detach: false,
    demo: true,
    postgres: false,
    ports: {
      platform: 7400,
      kafka: 9092,
      kafkaController: 9093,
      redis: 6380,
      registry: 8081,
      postgres: 5433,
    },
    external: {},
  })
})

test('options and variables are applied; an empty variable counts as absent', () => {
  const env = {
    ANNALS_KAFKA_PORT: '19092',
    ANNALS_REDIS_PORT: '',
    ANNALS_POSTGRES: '1',
    ANNALS_REDIS_URL: 'redis://r',
  }
  expect(readSettings(['--detach', '--no-demo'], env)).toMatchObject({
    detach: true,
    demo: false,
    postgres: true,
    ports: { kafka: 19_092, redis: 6380 },
    external: { redis: 'redis://r' },
  })
})

test.each([
  [['--detatch'], {}, '--detatch'],
  [['now'], {}, 'now'],
  [['--stack', 'podman'], {}, '--stack podman: expected one of native, docker, external'],
  [
    ['--stack', 'external'],
    { ANNALS_REDIS_URL: 'redis://r' },
    'ANNALS_KAFKA_BROKERS and ANNALS_REGISTRY_URL must be set',
  ],
  [['--stack', 'docker'], { ANNALS_REDIS_URL: 'redis://r' }, 'unset ANNALS_REDIS_URL'],
  [[], { ANNALS_KAFKA_PORT: '9o92' }, 'ANNALS_KAFKA_PORT is 9o92'],
  [[], { ANNALS_PORT: '0' }, 'ANNALS_PORT is 0'],
  [[], { ANNALS_PORT: '65536' }, 'ANNALS_PORT is 65536'],
  [[], { ANNALS_REDIS_PORT: '9092' }, 'ANNALS_KAFKA_PORT and ANNALS_REDIS_PORT are both 9092'],
  [[], { ANNALS_POSTGRES: 'yes' }, 'ANNALS_POSTGRES is yes'],
  [[], { ANNALS_REDIS_MAX_MEMORY: 'much' }, 'ANNALS_REDIS_MAX_MEMORY is much'],
])('%s with %o is rejected with exit code 2 and the reason', (args, env, problem) => {
  const refused = () => readSettings(args, env)
  expect(refused).toThrow(problem)
  expect(refused).toThrow(expect.objectContaining({ exitCode: 2 }) as StackError)
})

test('--help is printed, and names every variable', () => {
  expect(readSettings(['--help'], {})).toBeUndefined()
  for (const { variable } of Object.values(portVariables)) expect(startHelp).toContain(variable)
  for (const { variable } of settingsHelp()) expect(startHelp).toContain(`  ${variable}=`)
  for (const variable of ['ANNALS_HOME', 'ANNALS_POSTGRES', 'ANNALS_REDIS_MAX_MEMORY']) {
    expect(startHelp).toContain(`  ${variable}=`)
  }
})
