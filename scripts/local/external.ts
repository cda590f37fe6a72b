import { type Address, ask, httpStatus, StackError } from '../stack/index.ts'
import type { Part } from './part.ts'
import { type ExternalName, externalVariables } from './settings.ts'

const names: Record<ExternalName, string> = { kafka: 'Kafka', redis: 'Redis', registry: 'Schema registry' }

/** A server that is managed elsewhere and named by the environment. It is only checked, never started or stopped. */
export function external(which: ExternalName, address: string): Part {
  const name = names[which]
  const check = checks[which]
  return {
    name,
    ports: [],
    start: async (report) => {
      await check(address).catch((error: unknown) => {
        throw new StackError(
          `${name} (${externalVariables[which]}=${redact(address)}): ${(error as Error).message}. Start it, or unset ${externalVariables[which]} to have one started.`,
        )
      })
      report(`${name} at ${redact(address)} answers`)
      const healthy = () => check(address).then(() => true)
      const ended = new Promise<string>(() => undefined)
      return [{ name, address: redact(address), pids: [], ended, healthy, stop: () => Promise.resolve() }]
    },
  }
}

const checks: Record<ExternalName, (address: string) => Promise<void>> = {
  kafka: (brokers) => oneAnswers(brokers, brokerAddress),
  redis: (urls) => oneAnswers(urls, (url) => urlAddress(url, 6379)),
  registry: async (url) => {
    const { host, port } = urlAddress(url, url.startsWith('https:') ? 443 : 80)
    await ask({ host, port })
    const status = await httpStatus(`${url}/subjects`)
    // It may require a password, which only the services have.
    if (status === 404 || status >= 500) throw new Error(`${host}:${port} answers /subjects with ${status}`)
  },
}

/** One reachable node of several is enough: it knows the others. */
async function oneAnswers(list: string, addressOf: (node: string) => Address): Promise<void> {
  const tries = await Promise.allSettled(list.split(',').map(async (node) => ask(addressOf(node.trim()))))
  const failures = tries.flatMap((attempt) =>
    attempt.status === 'rejected' ? [(attempt.reason as Error).message] : [],
  )
  if (failures.length === tries.length) throw new Error(failures.join('; '))
}

function brokerAddress(broker: string): Address {
  const [, host = '', port = ''] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(broker) ?? []
  if (host === '') throw new Error(`${broker} is not host:port`)
  return { host, port: Number(port) }
}

function urlAddress(text: string, standardPort: number): Address {
  if (!URL.canParse(text)) throw new Error('this is not a URL')
  const { hostname, port } = new URL(text)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? standardPort : Number(port) }
}

/** A URL without its password. */
function redact(address: string): string {
  return address.replace(/\/\/[^/@]*@/g, '//…@')
}
