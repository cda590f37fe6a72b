import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'

import type { Command } from 'commander'

import {
  type AppendResult,
  type EventId,
  type EventMetadata,
  type ExpectedVersion,
  formatPosition,
  identifyEvents,
  type MetadataFieldName,
  metadataFields,
  metadataTable,
  type NewEvent,
  parseEventId,
  parseExpectedVersion,
  parseMetadata,
} from '#domain'
import { EventStoreError, parseJson } from '#event-store'

import type { Cli, CommandReport } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { decodeUtf8, parseArgument } from '../parse-json.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

/** The fields of metadata are options named after them: `--correlation-id` is `correlationId`. */
interface AppendCommandOptions extends WriterOption, Partial<Record<MetadataFieldName, string>> {
  readonly data: string
  readonly id?: EventId
  readonly expectedVersion: ExpectedVersion
  readonly metadata?: EventMetadata
}

const examples = `
Examples:
  annals append customer.c-1 PurchaseMade --data '{"date":"2026-01-31","cds":2,"amount":"29.33"}'
  annals append customer.c-1 PurchaseMade --data @purchase.json --expected-version 1
  ./purchase | annals append customer.c-2 PurchaseMade --data - --expected-version no-stream --json
  annals append customer.c-1 PurchaseMade --data @purchase.json --user-id ada --metadata '{"tenant":"acme"}'`

export function addAppend(program: Command, cli: Cli): void {
  const command = program
    .command('append')
    .description('Append one event to a stream.')
    .argument('<streamId>', '{aggregateType}.{aggregateId}, e.g. customer.c-1')
    .argument('<eventType>', 'name of its schema, e.g. PurchaseMade')
    .requiredOption('--data <json>', "the event's data: JSON, @file or - for standard input")
    .option('--id <uuid>', 'id of the event: the same id is never appended twice', parseEventId)
    .option(
      '--expected-version <version>',
      'the version of the stream that you read, no-stream, stream-exists or any',
      expectation,
      'any',
    )
    .option(
      '--metadata <json>',
      'metadata as a JSON object, which can have your own keys',
      parseMetadataOption,
    )
    .addHelpText('after', examples)
    .action(async (streamId: string, eventType: string, options: AppendCommandOptions) => {
      cli.report(await append(streamId, eventType, options))
    })
  for (const [field, { description }] of Object.entries(metadataTable)) {
    command.option(`--${kebab(field)} <text>`, description)
  }
  withWriterOption(command, cli)
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

function parseMetadataOption(text: string): EventMetadata {
  try {
    return parseMetadata(parseArgument(text))
  } catch (error) {
    throw new UsageError(`--metadata ${shown(text)} ${(error as Error).message}`, { cause: error })
  }
}

const expectation = (value: string): ExpectedVersion =>
  parseExpectedVersion(/^\d+$/.test(value) ? Number(value) : value)

async function append(streamId: string, type: string, options: AppendCommandOptions): Promise<CommandReport> {
  const { expectedVersion, id } = options
  const event: NewEvent = { type, data: await readData(options.data), metadata: metadataOf(options) }
  const events = identifyEvents([id === undefined ? event : { ...event, id }])
  try {
    return appended(
      type,
      await withClient(options, (client) => client.append(streamId, events, { expectedVersion })),
    )
  } catch (error) {
    throw settleable(error, events)
  }
}

function appended(type: string, result: AppendResult): CommandReport {
  const { streamId, lastVersion, duplicate, eventIds } = result
  const position = formatPosition(result.position)
  const what = duplicate ? `${type} is already in` : `Appended ${type} to`
  return {
    document: { ...result, position },
    text: `${what} ${streamId} at version ${lastVersion} (id ${eventIds.join(', ')}, position ${position})`,
  }
}

/** Adds to an error with an unknown outcome how to settle it: the same command with the same id. */
function settleable(error: unknown, events: readonly { readonly id: EventId }[]): unknown {
  if (!(error instanceof EventStoreError) || error.code !== 'outcome-unknown') return error
  const ids = events.map(({ id }) => id).join(', ')
  const message = `${error.message}. The event may or may not have been appended: run the same command again with --id ${ids}`
  return new EventStoreError('outcome-unknown', message, error.details, { cause: error })
}

const metadataOf = (options: AppendCommandOptions): EventMetadata => ({
  ...options.metadata,
  ...Object.fromEntries(
    metadataFields.flatMap((field) => (options[field] === undefined ? [] : [[field, options[field]]])),
  ),
})

async function readData(given: string): Promise<unknown> {
  const { source, content } = await readSource(given)
  try {
    return typeof content === 'string' ? parseArgument(content) : parseJson(decodeUtf8(content))
  } catch (error) {
    throw new UsageError(`--data ${source} ${(error as Error).message}`, { cause: error })
  }
}

const shown = (given: string): string => (given.length > 80 ? `${given.slice(0, 79)}…` : given)

interface Source {
  readonly source: string
  /** Text from the command line, or bytes from a file or standard input. */
  readonly content: string | Uint8Array
}

async function readSource(given: string): Promise<Source> {
  if (given === '-') return { source: 'from standard input', content: await buffer(process.stdin) }
  if (!given.startsWith('@')) return { source: shown(given), content: given }
  const file = given.slice(1)
  try {
    return { source: `from ${file}`, content: await readFile(file) }
  } catch (error) {
    throw new UsageError(`--data ${given} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
