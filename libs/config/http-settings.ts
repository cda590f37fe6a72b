import { count, duration, group, list, optional, size, text, url } from './settings.ts'

export const http = group('HTTP', 'Where a service listens.', {
  host: text({
    env: 'ANNALS_HOST',
    default: '127.0.0.1',
    description:
      'Address to listen on. Other machines reach the service only if this is not a loopback address.',
  }),
  port: count({
    env: 'ANNALS_PORT',
    default: 7400,
    minimum: 0,
    maximum: 65_535,
    description: 'Port to listen on; 0 picks a free one.',
  }),
  operationsPort: optional(
    count({
      env: 'ANNALS_OPERATIONS_PORT',
      maximum: 65_535,
      defaultText: 'ANNALS_PORT',
      description:
        'A port of its own for routes that need the right `operate`, metrics included. The other port then answers 404 for them.',
    }),
  ),
  advertisedUrl: optional(
    url({
      env: 'ANNALS_ADVERTISED_URL',
      protocols: ['http:', 'https:'],
      defaultText: 'http://{host}:{port}',
      description: 'URL at which other writers and clients reach this service.',
    }),
  ),
  bodyBytesMax: size({
    env: 'ANNALS_BODY_BYTES_MAX',
    default: 8 * 1_048_576,
    description: 'Limit of a request body. Larger ones are rejected.',
  }),
  bodiesBytesMax: size({
    env: 'ANNALS_BODIES_BYTES_MAX',
    default: 128 * 1_048_576,
    description:
      'Limit of all request bodies that are arriving or being processed. Beyond it, the request that has been arriving for the longest time gets 503.',
  }),
  requestsMax: count({
    env: 'ANNALS_REQUESTS_MAX',
    default: 500,
    description:
      'Changes that one service processes at a time. Further requests are rejected with 503 and Retry-After.',
  }),
  subscribersMax: count({
    env: 'ANNALS_SUBSCRIBERS_MAX',
    default: 1_000,
    maximum: 100_000,
    description:
      'Live subscriptions (of categories and projections) that one process serves at a time. Further ones are rejected with 503 and Retry-After.',
  }),
  subscribersBytesMax: size({
    env: 'ANNALS_SUBSCRIBERS_BYTES_MAX',
    default: 64 * 1_048_576,
    minimum: 1_048_576,
    description:
      'Memory for decoded events shared by the subscribers of categories, and the same amount for changes of views.',
  }),
  unreadBytesMax: size({
    env: 'ANNALS_UNREAD_BYTES_MAX',
    default: 64 * 1_048_576,
    minimum: 1_048_576,
    description:
      'Bytes that may wait in one process for slow readers. Beyond it, the connection that has waited for the longest time is closed.',
  }),
  requestTimeoutMs: duration({
    env: 'ANNALS_REQUEST_TIMEOUT',
    default: 10_000,
    minimum: 1_000,
    description: 'Time for a request to arrive completely, headers and body.',
  }),
  connectionsMax: count({
    env: 'ANNALS_CONNECTIONS_MAX',
    default: 10_000,
    description: 'Connections that one service holds at a time. Further ones get 503.',
  }),
  connectionsPerAddressMax: count({
    env: 'ANNALS_CONNECTIONS_PER_ADDRESS_MAX',
    default: 1_000,
    description:
      'Connections from one remote address. Further ones get 429. Loopback addresses are not counted.',
  }),
  allowedHosts: list(
    {
      env: 'ANNALS_ALLOWED_HOSTS',
      default: [],
      defaultText: 'none',
      form: 'host names, each with or without a port, separated by commas',
      description:
        'Host names of the service in addition to localhost, IP addresses and the host of ANNALS_ADVERTISED_URL. Requests for other hosts are rejected.',
    },
    '^[^\\s:/?#@,]+(:\\d{1,5})?$',
  ),
})
