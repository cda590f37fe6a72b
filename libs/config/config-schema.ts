import { type Static, Type } from '@sinclair/typebox'

import { access, limits, tls } from './access-settings.ts'
import { projector, snapshotter } from './consumer-settings.ts'
import { http } from './http-settings.ts'
import { kafka } from './kafka-settings.ts'
import { choice, duration, group, list, optional, text, url } from './settings.ts'
import { tracing } from './tracing-settings.ts'
import { index, writer } from './writer-settings.ts'

const redis = group('Redis', 'Where the index is.', {
  url: text(
    {
      env: 'ANNALS_REDIS_URL',
      default: 'redis://127.0.0.1:6380',
      form: 'redis://host:port or rediss://host:port; for a cluster, some of its nodes, separated by commas',
      description:
        'Redis, with user and password if it needs them. For a cluster, some of its nodes, separated by commas.',
    },
    '^rediss?://[^\\s,]+(,rediss?://[^\\s,]+)*$',
  ),
  tls: group('', '', {
    caFile: optional(
      text({
        env: 'ANNALS_REDIS_CA_FILE',
        defaultText: 'the authorities built into Node.js',
        description:
          "Certificates of the authorities that sign the servers' certificates (PEM), for `rediss:` URLs.",
      }),
    ),
    certFile: optional(
      text({ env: 'ANNALS_REDIS_CERT_FILE', description: 'Client certificate (PEM); needs its key.' }),
    ),
    keyFile: optional(
      text({ env: 'ANNALS_REDIS_KEY_FILE', description: 'Key of the client certificate (PEM).' }),
    ),
  }),
  keyPrefix: text(
    {
      env: 'ANNALS_REDIS_KEY_PREFIX',
      default: 'annals',
      form: 'letters, digits and _ . : -',
      description: 'Prefix of every key, so that installations can share a Redis.',
    },
    '^[\\w.:-]+$',
  ),
  cluster: choice(['auto', 'true', 'false'], {
    env: 'ANNALS_REDIS_CLUSTER',
    default: 'auto',
    description: 'Whether Redis is a cluster; `auto`: it is when the URL names more than one node.',
  }),
  commandTimeoutMs: duration({
    env: 'ANNALS_REDIS_COMMAND_TIMEOUT',
    default: 2_000,
    description: 'How long one command may take.',
  }),
})

const registry = group('Schema registry', 'Where the schemas of events are registered.', {
  url: url({
    env: 'ANNALS_REGISTRY_URL',
    default: 'http://127.0.0.1:8081/apis/ccompat/v7',
    protocols: ['http:', 'https:'],
    description: 'Base URL of a registry that implements the Confluent API.',
  }),
  username: optional(text({ env: 'ANNALS_REGISTRY_USERNAME', description: 'User to log in as.' })),
  password: optional(
    text({ env: 'ANNALS_REGISTRY_PASSWORD', secret: true, description: 'Password of that user.' }),
  ),
  caFile: optional(
    text({
      env: 'ANNALS_REGISTRY_CA_FILE',
      defaultText: 'the authorities built into Node.js',
      description: "Certificates of the authorities that sign the registry's certificate (PEM).",
    }),
  ),
  idFile: optional(
    text({
      env: 'ANNALS_REGISTRY_ID_FILE',
      description:
        'File that keeps the ids of schemas, so that a service can start while the registry is down.',
    }),
  ),
  timeoutMs: duration({
    env: 'ANNALS_REGISTRY_TIMEOUT',
    default: 5_000,
    description: 'How long one request may take.',
  }),
})

const domain = group('Domain', 'Your domain model. Paths are relative to the working directory.', {
  modules: list({
    env: 'ANNALS_DOMAIN',
    default: [],
    form: 'paths of ES modules, separated by commas',
    description: 'Domain modules, separated by commas, e.g. `examples/customers/domain.ts`.',
  }),
  schemaFolders: list(
    {
      env: 'ANNALS_SCHEMAS',
      default: ['schemas'],
      form: 'paths of folders, separated by commas',
      description: 'Folders with Avro schemas, separated by commas.',
    },
    '.',
    1,
  ),
})

const log = group('Log', 'Log lines go to standard output.', {
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    env: 'ANNALS_LOG_LEVEL',
    default: 'info',
    description: 'Lowest level that is logged.',
  }),
  pretty: choice(['auto', 'true', 'false'], {
    env: 'ANNALS_LOG_PRETTY',
    default: 'auto',
    description: 'Readable lines instead of JSON; `auto`: when standard output is a terminal.',
  }),
})

/**
 * All settings of all services: names, types, units, defaults and bounds. The type of the configuration is derived
 * from it.
 */
export const configSchema = Type.Object({
  http,
  access,
  tls,
  limits,
  kafka,
  redis,
  registry,
  domain,
  writer,
  index,
  snapshotter,
  projector,
  log,
  tracing,
})

export type ConfigValues = Static<typeof configSchema>
