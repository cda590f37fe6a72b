import type { StackState } from './state.ts'

/** Shown only for the example domain: these commands append to it. */
const exampleCommands = [
  `./annals append customer.c-1 PurchaseMade --data '{"date":"2026-01-31","cds":2,"amount":"29.33"}'`,
  './annals stream history customer.c-1',
  './annals projection view customer-lifetime c-1',
]

/** What `overview` shows in addition to the state. */
export interface Shown {
  /** The folder. */
  readonly logs: string
  /** The home of the stack, if it is not the default. */
  readonly home?: string
  /** Whether the customers example is served. */
  readonly example: boolean
  /** Whether the commands need a credential that the environment does not have. */
  readonly needsToken: boolean
}

/**
 * The description of a running stack for the terminal, line by line. Commands find the stack of their checkout by
 * themselves.
 */
export function overview({ parts }: StackState, { logs, home, example, needsToken }: Shown): string[] {
  const platform = addressOf(parts, 'Platform')
  return [
    ...parts.map(({ name, address }) => row(name, address)),
    row('HTTP interface', `${platform}/docs`),
    row('Metrics', `${platform}/metrics`),
    row('Logs', logs),
    'Stop it with ./scripts/stop.sh; its data stay.',
    'Try next:',
    ...(home === undefined ? [] : [`  export ANNALS_HOME=${home}`]),
    ...(needsToken ? ['  export ANNALS_TOKEN=…  # a key: ./annals access key create --help'] : []),
    ...(example ? exampleCommands : ['./annals projection list']).map((command) => `  ${command}`),
    '  ./annals doctor',
  ]
}

const row = (name: string, text: string): string => `  ${name.padEnd(16)} ${text}`

const addressOf = (parts: StackState['parts'], wanted: string): string =>
  parts.find(({ name }) => name === wanted)?.address ?? ''
