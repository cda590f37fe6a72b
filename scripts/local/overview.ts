import type { StackState } from './state.ts'

/** Whoever serves another domain knows better what to append. */
const exampleCommands = [
  `./annals append customer.c-1 PurchaseMade --data '{"date":"2026-01-31","cds":2,"amount":"29.33"}'`,
  './annals stream history customer.c-1',
  './annals projection view customer-lifetime c-1',
]

/** What `overview` shows beside the state. */
export interface Shown {
  /** The folder. */
  readonly logs: string
  /** Where the stack lives, unless that is where commands look anyway. */
  readonly home?: string
  /** Whether the customers example is served. */
  readonly example: boolean
}

/** What a person is told of a stack that runs, line by line. Commands find the stack of their checkout by themselves. */
export function overview({ parts }: StackState, { logs, home, example }: Shown): string[] {
  const platform = addressOf(parts, 'Platform')
  return [
    ...parts.map(({ name, address }) => row(name, address)),
    row('HTTP interface', `${platform}/docs`),
    row('Metrics', `${platform}/metrics`),
    row('Logs', logs),
    'Stop it with ./scripts/stop.sh; what it keeps survives.',
    'Try next:',
    ...(home === undefined ? [] : [`  export ANNALS_HOME=${home}`]),
    ...(example ? exampleCommands : ['./annals projection list']).map((command) => `  ${command}`),
    '  ./annals doctor',
  ]
}

const row = (name: string, text: string): string => `  ${name.padEnd(16)} ${text}`

const addressOf = (parts: StackState['parts'], wanted: string): string =>
  parts.find(({ name }) => name === wanted)?.address ?? ''
