// The direction of the house: services → adapters → ports → domain. test/unit/house/architecture.test.ts proves that each rule bites.
const tests = '(\\.test\\.ts$|^test/|^bench/|/testing/)'

/** Only these folders may import a client library, so that it can be replaced in one place. */
const onlyImportedBy = (name, library, folders) => ({
  name,
  comment: `${library} is used in ${folders} only`,
  severity: 'error',
  from: { pathNot: `^(${folders})/` },
  to: { path: `(^|node_modules/)(${library})(/|$)` },
})

const mayImportOnly = (name, folder, allowed) => ({
  name,
  comment: `libs/${folder} builds on ${allowed || 'nothing of ours'} only`,
  severity: 'error',
  from: { path: `^libs/${folder}/`, pathNot: tests },
  to: {
    path: '^(libs|services|examples|scripts|test|bench)/',
    pathNot: `^libs/(${[folder, allowed].filter(Boolean).join('|')})/`,
  },
})

const pure = (folder) => ({
  name: `${folder.replace('/', '-')}-is-pure`,
  comment: `libs/${folder} runs anywhere: no node:*`,
  severity: 'error',
  from: { path: `^libs/${folder}/`, pathNot: tests },
  to: { dependencyTypes: ['core'] },
})

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-undeclared-package',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-package-at-run-time',
      severity: 'error',
      from: { path: '^(libs|services)/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'libs-never-import-services',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^services/' },
    },
    {
      name: 'services-never-each-other',
      comment: 'only services/platform composes other services',
      severity: 'error',
      from: { path: '^services/(?!platform/)([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'enter-by-the-door',
      comment: 'a folder in libs is entered through its index.ts',
      severity: 'error',
      from: { path: '^(?:libs/([^/]+)/|services/|examples/|scripts/|test/|bench/)' },
      to: { path: '^libs/([^/]+)/(?!(testing/|records/)?index\\.ts$)', pathNot: '^libs/$1/' },
    },
    {
      name: 'testing-helpers-stay-in-tests',
      severity: 'error',
      from: { pathNot: tests },
      to: { path: '/testing/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(libs|services|examples)/', pathNot: tests },
      to: { path: '(\\.test\\.ts$|^test/|^bench/)' },
    },
    pure('domain'),
    pure('event-store'),
    pure('projections'),
    pure('async'),
    pure('access'),
    mayImportOnly('async-imports-nothing', 'async', ''),
    mayImportOnly('access-imports-domain', 'access', 'domain'),
    mayImportOnly('authentication-imports-access', 'authentication', 'async|domain|event-store|access'),
    mayImportOnly('access-store-imports-kafka', 'access-store', 'async|domain|access|kafka'),
    mayImportOnly('audit-imports-kafka', 'audit', 'async|domain|access|kafka|observability'),
    mayImportOnly('limits-import-access', 'limits', 'access|event-store'),
    pure('event-log/records'),
    pure('varint'),
    mayImportOnly('domain-imports-nothing', 'domain', ''),
    mayImportOnly('varint-imports-nothing', 'varint', ''),
    mayImportOnly('event-records-import-domain', 'event-log/records', 'domain'),
    mayImportOnly('calendar-imports-nothing', 'calendar', ''),
    mayImportOnly('event-store-imports-domain', 'event-store', 'domain|calendar'),
    mayImportOnly('schemas-imports-ports', 'schemas', 'async|domain|calendar'),
    mayImportOnly('consumer-imports-pure-parts', 'consumer', 'async|domain|schemas|event-log/records'),
    mayImportOnly('client-knows-no-server', 'client', 'async|domain|event-store|projections'),
    mayImportOnly('projections-imports-ports', 'projections', 'async|domain|event-store|event-log/records'),
    mayImportOnly('event-bus-imports-domain', 'event-bus', 'domain'),
    mayImportOnly('projections-redis-imports-ports', 'projections-redis', 'domain|projections|redis-index'),
    mayImportOnly(
      'projections-postgres-imports-ports',
      'projections-postgres',
      'async|domain|projections|sockets',
    ),
    mayImportOnly('bounds-imports-ports', 'bounds', 'event-store'),
    mayImportOnly('config-imports-nothing', 'config', ''),
    mayImportOnly('observability-imports-async', 'observability', 'async'),
    mayImportOnly('sockets-imports-nothing', 'sockets', ''),
    mayImportOnly(
      'ownership-builds-on-the-log',
      'ownership',
      'async|domain|event-store|event-log|kafka|observability',
    ),
    mayImportOnly('kafka-imports-ports', 'kafka', 'async|domain|event-log/records|varint|sockets'),
    mayImportOnly('redis-index-imports-ports', 'redis-index', 'async|domain|varint|observability'),
    mayImportOnly('http-imports-ports', 'http', 'access|limits|domain|event-store|observability|bounds'),
    mayImportOnly('event-log-composes-the-log', 'event-log', 'async|domain|event-store|schemas|kafka|bounds'),
    mayImportOnly(
      'service-opens-adapters',
      'service',
      'access|authentication|access-store|audit|limits|async|domain|config|observability|http|schemas|kafka|redis-index|projections|projections-[^/]+',
    ),
    mayImportOnly(
      'operations-composes-libs',
      'operations',
      'access|authentication|access-store|audit|async|domain|event-store|calendar|config|observability|schemas|kafka|redis-index|projections|event-log|service|client',
    ),
    {
      name: 'operations-has-no-terminal',
      comment: 'jobs report progress and outcomes as data; services/cli prints them',
      severity: 'error',
      from: { path: '^libs/operations/', pathNot: tests },
      to: { path: '^(node:)?(process|tty|readline|readline/promises|repl|console)$' },
    },
    onlyImportedBy('printing-in-cli', 'cli-table3|cli-progress|commander', 'services/cli|scripts|test|bench'),
    onlyImportedBy(
      'kafka-clients-in-kafka',
      'kafkajs|@platformatic/kafka',
      'libs/kafka|libs/consumer|examples/consumer|bench|test',
    ),
    onlyImportedBy('ioredis-in-redis', 'ioredis', 'libs/redis-index'),
    onlyImportedBy('pg-in-projections-postgres', 'pg', 'libs/projections-postgres'),
    onlyImportedBy('jose-in-authentication', 'jose', 'libs/authentication|test'),
    onlyImportedBy('limiter-in-limits', 'limiter', 'libs/limits'),
    onlyImportedBy('avro-in-schemas', 'avsc', 'libs/schemas|bench|test'),
    onlyImportedBy(
      'registry-client-in-consumer',
      '@kafkajs/confluent-schema-registry',
      'libs/consumer|examples/consumer|bench|test',
    ),
    {
      name: 'consumer-uses-its-callers-clients',
      comment: 'libs/consumer takes kafkajs and the registry client from its caller: types only',
      severity: 'error',
      from: { path: '^libs/consumer/', pathNot: tests },
      to: {
        path: '(^|node_modules/)(kafkajs|@platformatic/kafka|@kafkajs/confluent-schema-registry)(/|$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    onlyImportedBy('fastify-in-http', 'fastify', 'libs/http|services'),
    onlyImportedBy('opentelemetry-in-observability', '@opentelemetry/[^/]+', 'libs/observability|test'),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^\\.annals/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
