import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// Each rule of .dependency-cruiser.js is tested on a small tree: one file with a forbidden import, and
// neighbours with allowed imports.
const repository = fileURLToPath(new URL('../../../', import.meta.url))

/** One file with a forbidden import. */
interface Forbidden {
  readonly rule: string
  readonly file: string
  readonly source: string
}

const forbidden: readonly Forbidden[] = [
  { rule: 'no-cycles', file: 'libs/domain/cycle-a.ts', source: `import './cycle-b.ts'` },
  { rule: 'no-unresolved', file: 'libs/domain/lost.ts', source: `import './nowhere.ts'` },
  { rule: 'no-undeclared-package', file: 'services/writer/undeclared.ts', source: `import 'undeclared'` },
  { rule: 'no-dev-package-at-run-time', file: 'services/writer/dev.ts', source: `import 'dev-tool'` },
  {
    rule: 'libs-never-import-services',
    file: 'libs/unruled/up.ts',
    source: `import '../../services/writer/index.ts'`,
  },
  {
    rule: 'services-never-each-other',
    file: 'services/projector/sideways.ts',
    source: `import '../writer/index.ts'`,
  },
  {
    rule: 'enter-by-the-door',
    file: 'services/writer/window.ts',
    source: `import '../../libs/domain/inside.ts'`,
  },
  { rule: 'enter-by-the-door', file: 'libs/client/window.ts', source: `import '../domain/inside.ts'` },
  { rule: 'enter-by-the-door', file: 'test/unit/window.ts', source: `import '../../libs/domain/inside.ts'` },
  {
    rule: 'testing-helpers-stay-in-tests',
    file: 'services/writer/helper.ts',
    source: `import '#domain/testing'`,
  },
  {
    rule: 'nothing-imports-tests',
    file: 'services/writer/tested.ts',
    source: `import '../../test/support/stack/stack.ts'`,
  },
  { rule: 'nothing-imports-tests', file: 'services/writer/case.ts', source: `import './some.test.ts'` },
  { rule: 'domain-is-pure', file: 'libs/domain/impure.ts', source: `import 'node:fs'` },
  { rule: 'event-store-is-pure', file: 'libs/event-store/impure.ts', source: `import 'node:crypto'` },
  { rule: 'async-is-pure', file: 'libs/async/impure.ts', source: `import 'node:timers/promises'` },
  { rule: 'async-imports-nothing', file: 'libs/async/outwards.ts', source: `import '#domain'` },
  {
    rule: 'ownership-builds-on-the-log',
    file: 'libs/ownership/outwards.ts',
    source: `import '#redis-index'`,
  },
  { rule: 'varint-is-pure', file: 'libs/varint/impure.ts', source: `import 'node:fs'` },
  { rule: 'varint-imports-nothing', file: 'libs/varint/outwards.ts', source: `import '#domain'` },
  {
    rule: 'event-log-records-is-pure',
    file: 'libs/event-log/records/impure.ts',
    source: `import 'node:fs'`,
  },
  {
    rule: 'event-records-import-domain',
    file: 'libs/event-log/records/outwards.ts',
    source: `import '#kafka'`,
  },
  { rule: 'domain-imports-nothing', file: 'libs/domain/outwards.ts', source: `import '#event-store'` },
  { rule: 'calendar-imports-nothing', file: 'libs/calendar/outwards.ts', source: `import '#domain'` },
  { rule: 'event-store-imports-domain', file: 'libs/event-store/outwards.ts', source: `import '#schemas'` },
  { rule: 'schemas-imports-ports', file: 'libs/schemas/outwards.ts', source: `import '#kafka'` },
  { rule: 'projections-is-pure', file: 'libs/projections/impure.ts', source: `import 'node:fs'` },
  { rule: 'projections-imports-ports', file: 'libs/projections/outwards.ts', source: `import '#kafka'` },
  { rule: 'event-bus-imports-domain', file: 'libs/event-bus/outwards.ts', source: `import '#kafka'` },
  {
    rule: 'projections-redis-imports-ports',
    file: 'libs/projections-redis/outwards.ts',
    source: `import '#kafka'`,
  },
  {
    rule: 'projections-postgres-imports-ports',
    file: 'libs/projections-postgres/outwards.ts',
    source: `import '#redis-index'`,
  },
  { rule: 'pg-in-projections-postgres', file: 'services/projector/pg.ts', source: `import 'pg'` },
  { rule: 'client-knows-no-server', file: 'libs/client/server.ts', source: `import '#http'` },
  { rule: 'consumer-imports-pure-parts', file: 'libs/consumer/server.ts', source: `import '#kafka'` },
  {
    rule: 'consumer-uses-its-callers-clients',
    file: 'libs/consumer/kafkajs.ts',
    source: `import 'kafkajs'`,
  },
  {
    rule: 'consumer-uses-its-callers-clients',
    file: 'libs/consumer/registry.ts',
    source: `import '@kafkajs/confluent-schema-registry'`,
  },
  { rule: 'access-is-pure', file: 'libs/access/impure.ts', source: `import 'node:crypto'` },
  { rule: 'access-imports-domain', file: 'libs/access/outwards.ts', source: `import '#event-store'` },
  {
    rule: 'authentication-imports-access',
    file: 'libs/authentication/outwards.ts',
    source: `import '#kafka'`,
  },
  { rule: 'access-store-imports-kafka', file: 'libs/access-store/outwards.ts', source: `import '#http'` },
  { rule: 'audit-imports-kafka', file: 'libs/audit/outwards.ts', source: `import '#http'` },
  { rule: 'limits-import-access', file: 'libs/limits/outwards.ts', source: `import '#http'` },
  { rule: 'jose-in-authentication', file: 'libs/client/jose.ts', source: `import 'jose'` },
  { rule: 'limiter-in-limits', file: 'libs/http/limiter.ts', source: `import 'limiter'` },
  { rule: 'bounds-imports-ports', file: 'libs/bounds/outwards.ts', source: `import '#http'` },
  { rule: 'config-imports-nothing', file: 'libs/config/outwards.ts', source: `import '#domain'` },
  {
    rule: 'observability-imports-async',
    file: 'libs/observability/outwards.ts',
    source: `import '#config'`,
  },
  { rule: 'sockets-imports-nothing', file: 'libs/sockets/outwards.ts', source: `import '#domain'` },
  { rule: 'kafka-imports-ports', file: 'libs/kafka/outwards.ts', source: `import '#redis-index'` },
  { rule: 'redis-index-imports-ports', file: 'libs/redis-index/outwards.ts', source: `import '#kafka'` },
  { rule: 'http-imports-ports', file: 'libs/http/outwards.ts', source: `import '#kafka'` },
  { rule: 'event-log-composes-the-log', file: 'libs/event-log/outwards.ts', source: `import '#redis-index'` },
  { rule: 'operations-composes-libs', file: 'libs/operations/outwards.ts', source: `import '#http'` },
  { rule: 'operations-has-no-terminal', file: 'libs/operations/terminal.ts', source: `import 'node:tty'` },
  { rule: 'operations-has-no-terminal', file: 'libs/operations/lines.ts', source: `import 'node:readline'` },
  { rule: 'operations-has-no-terminal', file: 'libs/operations/self.ts', source: `import 'node:process'` },
  { rule: 'printing-in-cli', file: 'libs/operations/table.ts', source: `import 'cli-table3'` },
  { rule: 'printing-in-cli', file: 'services/writer/bar.ts', source: `import 'cli-progress'` },
  { rule: 'printing-in-cli', file: 'libs/operations/options.ts', source: `import 'commander'` },
  { rule: 'service-opens-adapters', file: 'libs/service/outwards.ts', source: `import '#client'` },
  { rule: 'kafka-clients-in-kafka', file: 'services/writer/kafkajs.ts', source: `import 'kafkajs'` },
  { rule: 'kafka-clients-in-kafka', file: 'libs/service/kafka.ts', source: `import '@platformatic/kafka'` },
  { rule: 'ioredis-in-redis', file: 'services/writer/ioredis.ts', source: `import 'ioredis'` },
  { rule: 'avro-in-schemas', file: 'libs/kafka/avro.ts', source: `import 'avsc'` },
  {
    rule: 'registry-client-in-consumer',
    file: 'services/writer/registry.ts',
    source: `import '@kafkajs/confluent-schema-registry'`,
  },
  { rule: 'fastify-in-http', file: 'libs/client/fastify.ts', source: `import 'fastify'` },
  {
    rule: 'opentelemetry-in-observability',
    file: 'services/writer/tracer.ts',
    source: `import '@opentelemetry/api'`,
  },
]

const allowed: Readonly<Record<string, string>> = {
  'libs/domain/neighbour.ts': `import './inside.ts'`,
  'libs/domain/pure.ts': `import 'uuid'`,
  'libs/domain/some.test.ts': `import 'node:fs'; import 'dev-tool'; import './testing/index.ts'`,
  'libs/consumer/types.ts': `import type {} from 'kafkajs'; import type {} from '@kafkajs/confluent-schema-registry'; import '#event-log/records'; import '#async'`,
  'libs/event-store/domain.ts': `import '#domain'`,
  'libs/event-store/testing/contract.ts': `import 'node:crypto'; import 'dev-tool'; import '../index.ts'`,
  'libs/schemas/ports.ts': `import '#domain'; import '#async'; import 'avsc'`,
  'libs/client/ports.ts': `import '#domain'; import '#event-store'; import '#projections'`,
  'libs/kafka/clients.ts': `import 'kafkajs'; import '@platformatic/kafka'; import '#domain'; import '#event-log/records'; import '#varint'; import 'node:net'`,
  'libs/redis-index/client.ts': `import 'ioredis'; import '#observability'`,
  'libs/projections-redis/client.ts': `import '#redis-index'; import '#projections'`,
  'libs/projections-postgres/client.ts': `import 'pg'; import '#projections'`,
  'libs/http/server.ts': `import 'fastify'; import '#event-store'; import '#access'`,
  'libs/authentication/tokens.ts': `import 'jose'; import '#access'; import '#event-store'`,
  'libs/access-store/topic.ts': `import '#access'; import '#kafka'`,
  'libs/audit/topic.ts': `import '#access'; import '#kafka'`,
  'libs/limits/buckets.ts': `import '#access'; import 'limiter'`,
  'libs/ownership/loop.ts': `import '#async'; import '#kafka'; import '#event-log'`,
  'libs/event-log/log.ts': `import '#schemas'; import '#kafka'; import './records/index.ts'`,
  'libs/event-log/records/records.ts': `import '#domain'`,
  'libs/projections/feed.ts': `import '#event-log/records'`,
  'libs/redis-index/packed.ts': `import '#varint'`,
  'libs/observability/types.ts': `import '#async'; import type {} from 'dev-tool'`,
  'libs/operations/job.ts': `import '#kafka'; import '#service'; import '#client'; import 'node:fs'`,
  'services/cli/table.ts': `import 'cli-table3'; import 'commander'; import 'node:tty'`,
  'services/writer/down.ts': `import '#kafka'; import '#http'; import '#config'; import 'fastify'`,
  'services/platform/composes.ts': `import '../writer/index.ts'; import '../projector/index.ts'`,
  'test/integration/writer.test.ts': `import '#event-store/testing'; import '../../services/writer/index.ts'; import 'dev-tool'`,
  'bench/codec.ts': `import 'avsc'; import '#schemas'`,
}

const libs = [
  'access',
  'async',
  'client',
  'config',
  'domain',
  'event-log',
  'event-store',
  'http',
  'kafka',
  'observability',
  'projections',
  'projections-redis',
  'redis-index',
  'schemas',
  'service',
  'varint',
]

/** The imported files. */
const furniture: Readonly<Record<string, string>> = {
  ...Object.fromEntries(libs.map((name) => [`libs/${name}/index.ts`, ''])),
  'libs/domain/inside.ts': '',
  'libs/domain/cycle-b.ts': `import './cycle-a.ts'`,
  'libs/domain/testing/index.ts': '',
  'libs/event-log/records/index.ts': '',
  'libs/event-store/testing/index.ts': '',
  'services/writer/index.ts': '',
  'services/writer/some.test.ts': '',
  'services/projector/index.ts': '',
  'test/support/stack/stack.ts': '',
}

const declared = [
  '@kafkajs/confluent-schema-registry',
  '@opentelemetry/api',
  '@platformatic/kafka',
  'avsc',
  'cli-progress',
  'cli-table3',
  'commander',
  'fastify',
  'ioredis',
  'jose',
  'kafkajs',
  'limiter',
  'pg',
  'uuid',
]
const versions = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, '1.0.0']))

let house: string
let violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[]

function furnish(file: string, content: string): void {
  const path = join(house, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

const furnishSource = (file: string, source: string): void => furnish(file, `${source}\nexport {}\n`)

function buildHouse(): void {
  house = mkdtempSync(join(tmpdir(), 'annals-architecture-'))
  cpSync(join(repository, '.dependency-cruiser.js'), join(house, '.dependency-cruiser.js'))
  const manifest = {
    name: 'house',
    type: 'module',
    imports: { '#*': './libs/*/index.ts' },
    dependencies: versions(declared),
    devDependencies: versions(['dev-tool']),
  }
  furnish('package.json', JSON.stringify(manifest))
  for (const name of [...declared, 'dev-tool', 'undeclared']) {
    furnish(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }))
    furnish(`node_modules/${name}/index.js`, '')
  }
  for (const [file, source] of Object.entries({ ...furniture, ...allowed })) furnishSource(file, source)
  for (const { file, source } of forbidden) furnishSource(file, source)
}

async function inspect(): Promise<typeof violations> {
  const cruiser = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const folders = ['libs', 'services', 'test', 'bench']
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [cruiser, '--config', '.dependency-cruiser.js', '--output-type', 'json', ...folders],
    { cwd: house, maxBuffer: 64 * 1_048_576 },
  )
  return (JSON.parse(stdout) as { summary: { violations: typeof violations } }).summary.violations
}

const brokenBy = (file: string): string[] => [
  ...new Set(violations.filter(({ from }) => from === file).map(({ rule }) => rule.name)),
]

describe('the dependency rules', () => {
  beforeAll(async () => {
    buildHouse()
    violations = await inspect()
  }, 60_000)

  afterAll(() => rmSync(house, { recursive: true, force: true }))

  test.each(forbidden)('$rule: $file may not $source', ({ rule, file }) => {
    expect(brokenBy(file)).toEqual([rule])
  })

  test.each(Object.keys(allowed))('%s may keep its allowed imports', (file) => {
    expect(brokenBy(file)).toEqual([])
  })

  test('each have a test case here', async () => {
    const path = new URL('../../../.dependency-cruiser.js', import.meta.url).href
    const { default: config } = (await import(path)) as { default: { forbidden: { name: string }[] } }
    const rules = new Set(config.forbidden.map(({ name }) => name))
    expect(new Set(forbidden.map(({ rule }) => rule))).toEqual(rules)
  })
})
