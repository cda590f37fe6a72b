import { type Config, isLoopback } from '#config'

/** A server as the settings name it. */
export interface Endpoint {
  readonly name: 'Kafka' | 'Redis' | 'schema registry' | 'PostgreSQL'
  /** Each of its configured nodes. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly isEncrypted: boolean
  /** Whether only processes of this machine reach it. */
  readonly isLocal: boolean
}

/** The servers that services of this configuration connect to. PostgreSQL only if views are stored there. */
export const endpointsOf = ({ kafka, redis, registry, projector }: Config): Endpoint[] => [
  endpoint(
    'Kafka',
    kafka.brokers.map((broker) => `tcp://${broker}`),
    9092,
    kafka.ssl.enabled,
  ),
  endpoint('Redis', redis.url.split(','), 6379, redis.url.startsWith('rediss:')),
  endpoint(
    'schema registry',
    [registry.url],
    registry.url.startsWith('https:') ? 443 : 80,
    registry.url.startsWith('https:'),
  ),
  ...(projector.store === 'postgres' ? [postgres(projector.postgresUrl ?? '')] : []),
]

const encryptedModes = ['prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

function postgres(url: string): Endpoint {
  const mode = URL.parse(url)?.searchParams.get('sslmode') ?? ''
  return endpoint('PostgreSQL', [url], 5432, encryptedModes.includes(mode))
}

function endpoint(
  name: Endpoint['name'],
  urls: readonly string[],
  standardPort: number,
  isEncrypted: boolean,
): Endpoint {
  const nodes = urls.flatMap((text) => {
    const url = URL.parse(text.trim())
    return url === null
      ? []
      : [{ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || standardPort) }]
  })
  return { name, nodes, isEncrypted, isLocal: nodes.every(({ host }) => isLoopback(host)) }
}
