import { portVariables } from './settings.ts'
import type { StackState } from './state.ts'

/** Whoever serves another domain knows better what to append. */
const exampleCommands = [
  `./annals append customer.c-1 PurchaseMade --data '{"date":"2026-01-31","cds":2,"amount":"29.33"}'`,
  './annals stream history customer.c-1',
  './annals projection view customer-lifetime c-1',
]

/** What a person is told of a stack that runs, line by line. @param logs the folder. @param example whether the customers example is served */
export function overview({ parts }: StackState, logs: string, example: boolean): string[] {
  const platform = addressOf(parts, 'Platform')
  const usualUrl = `http://127.0.0.1:${portVariables.platform.port}`
  return [
    ...parts.map(({ name, address }) => row(name, address)),
    row('HTTP interface', `${platform}/docs`),
    row('Metrics', `${platform}/metrics`),
    row('Logs', logs),
    'Stop it with ./scripts/stop.sh; what it keeps survives.',
    'Try next:',
    ...(platform === usualUrl ? [] : [`  export ANNALS_URL=${platform}`]),
    ...(example ? exampleCommands : ['./annals projection list']).map((command) => `  ${command}`),
    `  ${[...unusual(parts), './annals doctor'].join(' ')}`,
  ]
}

const row = (name: string, text: string): string => `  ${name.padEnd(16)} ${text}`

const addressOf = (parts: StackState['parts'], wanted: string): string =>
  parts.find(({ name }) => name === wanted)?.address ?? ''

const variables = {
  ANNALS_KAFKA_BROKERS: { part: 'Kafka', usual: `127.0.0.1:${portVariables.kafka.port}` },
  ANNALS_REDIS_URL: { part: 'Redis', usual: `redis://127.0.0.1:${portVariables.redis.port}` },
  ANNALS_REGISTRY_URL: {
    part: 'Schema registry',
    usual: `http://127.0.0.1:${portVariables.registry.port}/apis/ccompat/v7`,
  },
}

/**
 * What doctor must be told where a server is not in its usual place. Before the command and not exported: start.sh would
 * take servers that the environment names for somebody else's. A URL whose password is not shown is left out.
 */
function unusual(parts: StackState['parts']): string[] {
  return Object.entries(variables).flatMap(([variable, { part, usual }]) => {
    const address = addressOf(parts, part)
    return address === usual || address.includes('…') ? [] : [`${variable}=${address}`]
  })
}
