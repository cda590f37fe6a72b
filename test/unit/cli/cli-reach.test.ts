import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Command } from 'commander'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { commandReach } from '../../../services/cli/reach/command-reach.ts'
import { type ApiNeed, type CommandReach, isDirect, type Use } from '../../../services/cli/reach/reach.ts'
import { reachLine } from '../../../services/cli/reach/reach-help.ts'
import { programOf } from '../../../services/cli/run-cli.ts'
import { callsOfCommands } from '../../support/cli/calls-of-commands.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { type RecordedReach, type RecordedRequest, recordReach } from '../../support/cli/recorded-reach.ts'
import { freshDomain } from '../../support/services/fresh-domain.ts'

let folder: string
let recorded: RecordedReach
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-reach-'))
  recorded = await recordReach()
})
beforeEach(() => recorded.clear())
afterAll(async () => {
  await recorded.stop()
  await rm(folder, { recursive: true })
})

const program = programOf({ env: {}, isJson: false, report: () => undefined })

/** Commands that run: those without subcommands, and groups with arguments of their own, such as `backup`. */
const runnable = (command: Command, path: readonly string[] = []): (readonly [string, Command])[] => [
  ...(command.commands.length === 0 || command.registeredArguments.length > 0
    ? [[path.join(' '), command] as const]
    : []),
  ...command.commands.flatMap((each) => runnable(each, [...path, each.name()])),
]

const commands = runnable(program)
const paths = commands.map(([path]) => path).toSorted()

test('every command declares what it reaches, and every declaration belongs to a command', () => {
  expect(paths.length).toBeGreaterThan(50)
  expect(Object.keys(commandReach).toSorted()).toEqual(paths)
})

/** Requests that only the contents of a body or an earlier answer lead to. */
const unrecorded: Readonly<Record<string, string>> = {
  append: 'annals:act-as is checked with the body',
  import: 'annals:act-as is checked with the body',
  'import-rollback': 'it appends only to streams that it finds',
  'index rebuild': 'it asks owners, which it looks up in Kafka first',
}

const needText = ({ actions, on }: RecordedRequest | ApiNeed): string =>
  `${actions.join(' or ') || 'any credential'} ${on ?? ''}`.trim()

/** A use under a condition may come too late in a command to be seen here. */
function expectUse(server: string, isReached: boolean, use: Use | undefined): void {
  if (isReached) expect(use, `${server} is not declared`).toBeDefined()
  if (use !== undefined && use.when === undefined) expect(isReached, `${server} is not reached`).toBe(true)
}

test.each(paths)('%s reaches what it declares, and nothing else', async (path) => {
  const domain = freshDomain()
  const calls = callsOfCommands(folder)[path] ?? []
  expect(calls.length, 'calls in test/support/cli/calls-of-commands.ts').toBeGreaterThan(0)
  const annals = cliHere({
    ...recorded.env,
    ANNALS_DOMAIN: domain.modulePath,
    ANNALS_SCHEMAS: domain.schemaFolder,
    ANNALS_ACCESS: 'topic',
    ANNALS_PEER_SECRET: 'a secret of at least thirty-two characters',
    ANNALS_CONTEXTS_FILE: join(folder, 'contexts.json'),
  })
  for (const call of calls) await annals([...path.split(' '), ...call])
  domain.remove()

  const { kafka, redis, registry, api = [] } = commandReach[path] as CommandReach
  expect(recorded.reached.has('Kafka')).toBe(kafka !== undefined)
  expectUse('Redis', recorded.reached.has('Redis'), redis)
  expectUse('registry', recorded.reached.has('registry'), registry)
  const declared = new Set(api.map(needText))
  const made = new Set(recorded.requests.map(needText))
  expect(
    [...made].filter((need) => !declared.has(need)),
    'not declared',
  ).toEqual([])
  if (unrecorded[path] === undefined) expect([...made].toSorted()).toEqual([...declared].toSorted())
})

test('the help of a command that reaches a server directly says so, that of others does not', () => {
  for (const [path, command] of commands) {
    const reach = commandReach[path] as CommandReach
    let help = ''
    command.configureOutput({ writeOut: (part) => (help += part) }).outputHelp()
    const line = isDirect(reach) ? reachLine(reach) : undefined
    expect([path, /^Reaches .*$/m.exec(help)?.[0]]).toEqual([path, line])
  }
  expect(reachLine(commandReach['verify'] as CommandReach)).toBe(
    'Reaches Kafka, Redis and the schema registry directly; docs/operations/rights.md lists the rights it needs.',
  )
})
