import type { Command, Option } from 'commander'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import type { StreamId } from '#domain'

import { exitCodes } from '../../../services/cli/exit-code.ts'
import { programOf } from '../../../services/cli/run-cli.ts'
import { fuzzFactor, fuzzSettings } from '../../fuzz/fuzz-settings.ts'
import { nastyTexts } from '../../fuzz/nasty.ts'
import type { RunCli } from '../../support/cli/cli.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import {
  type Installation,
  installation,
  type RealWriter,
  startRealWriter,
} from '../../support/services/real-writer.ts'
import { freshStream, purchase } from '../../support/services/writer-fixture.ts'

const runsEach = 6
const deadlineMs = 40_000

let where: Installation
let writer: RealWriter
let here: RunCli
let streamId: StreamId

beforeAll(async () => {
  where = installation({ ANNALS_KAFKA_PARTITIONS: '1', ANNALS_REGISTRY_TIMEOUT: '2s' })
  writer = await startRealWriter(where)
  streamId = freshStream(where.type)
  const client = new AnnalsClient({ url: writer.url })
  await client.append(streamId, [purchase(), purchase()])
  await client.close()
  here = cliHere({ ...where.env, ANNALS_URL: writer.url })
})
afterAll(async () => {
  await writer.close()
  where.domain.remove()
})

/** Every command, by its names. Only `completion` needs no server. */
const commandsOf = (command: Command, path: readonly string[] = []): [string[], Command][] =>
  command.commands.length === 0
    ? [[[...path], command]]
    : command.commands.flatMap((each) => commandsOf(each, [...path, each.name()]))

const commands = commandsOf(programOf({ env: {}, isJson: false, report: () => undefined }))

/** Excludes words that cannot be file names, addresses or process arguments, because they never reach the program. */
const words = nastyTexts.filter((text) => !text.includes('\0') && text.length < 1_000)

/** Moves files into the test's own folder. Excludes `append -`, which would wait for input. */
const isPath = /file|folder|path|dir|out|target|mapping|state|journal|checkpoint/i

const valueOf = (name: string): fc.Arbitrary<string> =>
  isPath.test(name)
    ? fc.constantFrom('/nowhere/at/all', '', '/dev/null/x')
    : fc.oneof(
        fc.constantFrom(...words),
        fc.constantFrom('0', '1', '-5', '1.5', '1e9', 'true', 'all', 'PurchaseMade', '1997-01-12'),
        fc.constant('').map(() => where.type),
        fc.constant('').map(() => streamId),
        fc.constant('').map(() => where.domain.projections.lifetime),
      )

const flagOf = (option: Option): fc.Arbitrary<readonly string[]> => {
  const flag = option.long ?? option.short ?? ''
  if (option.isBoolean()) return fc.constant([flag])
  return fc.oneof(
    { weight: 6, arbitrary: valueOf(option.name()).map((value): readonly string[] => [flag, value]) },
    { weight: 1, arbitrary: fc.constant([flag]) },
    { weight: 1, arbitrary: valueOf(option.name()).map((value) => [`${flag}=${value}`]) },
  )
}

/** Leaves out `--yes`, which would allow the fuzzer to destroy shared data. */
function argumentsOf(path: readonly string[], command: Command): fc.Arbitrary<string[]> {
  const given = command.registeredArguments.map((argument) => valueOf(argument.name()))
  const options = command.options.filter(({ long }) => long !== '--yes' && long !== '--url')
  const flags: fc.Arbitrary<readonly string[]> =
    options.length === 0 ? fc.constant([]) : fc.oneof(...options.map(flagOf))
  return fc
    .tuple(
      fc.tuple(...given),
      fc.array(flags, { maxLength: 3 }),
      fc.constantFrom([], [], ['--json'], ['--no-such-option'], ['one-too-many']),
      fc.boolean(),
    )
    .map(([values, chosen, more, cutsShort]) => [
      ...path,
      ...(cutsShort ? values.slice(1) : values),
      ...chosen.flat(),
      ...more,
    ])
}

/** The problem with the end of a command; undefined if there is none. */
async function faultOf(args: readonly string[]): Promise<string | undefined> {
  const late = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => late.resolve('late'), deadlineMs)
  const end = await Promise.race([here(args), late.promise]).finally(() => clearTimeout(timer))
  if (end === 'late') return `it did not end within ${deadlineMs} ms`
  const printed = end.stdout + end.stderr
  if (end.exitCode === null || !Object.hasOwn(exitCodes, end.exitCode)) return `exit code ${end.exitCode}`
  if (end.exitCode === 5 || /\n\s+at .*:\d+/.test(printed)) return printed
  return end.exitCode === 0 || printed !== '' ? undefined : 'it failed without a message'
}

test.each(commands.map(([path, command]) => [path.join(' '), path, command] as const))(
  '%s ends in time, with a documented exit code and without a stack trace, on any input',
  { timeout: 120_000 * fuzzFactor },
  async (_, path, command) => {
    await fc.assert(
      fc.asyncProperty(argumentsOf(path, command), async (args) => {
        expect(await faultOf(args)).toBeUndefined()
      }),
      { ...fuzzSettings(runsEach), endOnFailure: true },
    )
  },
)
