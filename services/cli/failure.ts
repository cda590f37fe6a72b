import { CommanderError } from 'commander'

import { tlsProblemOf } from '#client'
import { ConfigError } from '#config'
import { InvalidInputError } from '#domain'
import { type ErrorCode, EventStoreError } from '#event-store'
import type { LogError, LogOutcome } from '#kafka'
import type { OperationError, OperationRemedy } from '#operations'
import { SchemaError, type SchemaErrorCode } from '#schemas'

import type { ExitCode } from './exit-code.ts'

/** Why a command failed. */
export interface CommandFailure {
  readonly exitCode: ExitCode
  /** Stable; for programs. */
  readonly code: string
  /** What failed, where, and what to do. */
  readonly message: string
  /** More fields for programs: plain JSON. */
  readonly details?: object
}

/** An option or an argument is wrong, or options do not fit together. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A failure whose code and exit code the command itself chose. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly failure: CommandFailure

  constructor(failure: CommandFailure, options: ErrorOptions = {}) {
    super(failure.message, options)
    this.failure = failure
  }
}

/** The exit code of a command that printed help: 0 if help was requested, 2 if a subcommand is missing. Undefined for any other error. */
export function endOfHelp(error: unknown): ExitCode | undefined {
  if (!(error instanceof CommanderError)) return undefined
  if (error.exitCode === 0) return 0
  return error.code === 'commander.help' ? 2 : undefined
}

/** Translates any error. An unexpected error is a bug in Annals; its message contains the stack. */
export function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommanderError) return usage(`${inOneLine(error.message)}. See --help`)
  if (error instanceof UsageError) return usage(error.message)
  if (error instanceof InvalidInputError) return { ...usage(error.message), details: { path: error.path } }
  if (error instanceof CommandError) return error.failure
  if (isOperationError(error)) return operationFailure(error)
  if (isLogError(error)) return logFailure(error)
  if (isUnreachable(error)) return { exitCode: 3, code: 'unavailable', message: error.message }
  if (error instanceof ConfigError) return { exitCode: 2, code: error.code, message: error.message }
  if (error instanceof EventStoreError) return storeFailure(error)
  if (error instanceof SchemaError) {
    return { exitCode: schemaExitCodes[error.code] ?? 1, code: error.code, message: error.message }
  }
  const description = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exitCode: 5, code: 'internal', message: `this is a bug in Annals: ${description}` }
}

// By name, because importing the class would load the Kafka clients, which double the start time of every command.
const isLogError = (error: unknown): error is LogError => error instanceof Error && error.name === 'LogError'

const isOperationError = (error: unknown): error is OperationError =>
  error instanceof Error && error.name === 'OperationError'

const operationExitCodes: Record<OperationRemedy, ExitCode> = {
  'correct-request': 2,
  'change-state': 1,
  retry: 3,
}

const operationFailure = ({ code, remedy, message }: OperationError): CommandFailure => ({
  exitCode: operationExitCodes[remedy],
  code: code === 'invalid-request' ? 'usage' : code,
  message,
})

/** Redis or the view store did not answer. Also by name. */
const isUnreachable = (error: unknown): error is Error =>
  error instanceof Error && ['IndexUnavailableError', 'ViewStoreUnavailableError'].includes(error.name)

const logExitCodes: Record<LogOutcome, ExitCode> = {
  unavailable: 3,
  'take-over': 3,
  unknown: 4,
  fenced: 1,
  refused: 1,
  'not-there': 1,
  'log-replaced': 1,
  'events-deleted': 1,
}

const logFailure = ({ outcome, message, kafkaCode }: LogError): CommandFailure => ({
  exitCode: logExitCodes[outcome],
  code: `kafka-${outcome}`,
  message,
  details: kafkaCode === undefined ? {} : { kafkaCode },
})

const inOneLine = (text: string): string => text.replace(/^error: /, '').replaceAll('\n', ' ')

const usage = (message: string): CommandFailure => ({ exitCode: 2, code: 'usage', message })

const storeExitCodes: Partial<Record<ErrorCode, ExitCode>> = {
  'invalid-request': 2,
  overloaded: 3,
  unavailable: 3,
  'not-owner': 3,
  'projection-behind': 3,
  'limit-exceeded': 3,
  'outcome-unknown': 4,
  internal: 5,
}
const schemaExitCodes: Partial<Record<SchemaErrorCode, ExitCode>> = { 'registry-unreachable': 3 }

function storeFailure({ code, message, details, cause }: EventStoreError): CommandFailure {
  const advice = adviceOn(code, cause)
  return { exitCode: storeExitCodes[code] ?? 1, code, message: `${message}${advice}`, details }
}

function adviceOn(code: ErrorCode, cause: unknown): string {
  if (code === 'unauthenticated')
    return '. The command takes its credential from ANNALS_TOKEN, from a client certificate or from a context: ./annals context --help'
  // An error with a cause was created by the client: the service did not answer.
  const isSilent = code === 'unavailable' && cause !== undefined && tlsProblemOf(cause) === undefined
  return isSilent
    ? '. Is it running? ./scripts/start.sh starts a local stack; --url or ANNALS_URL selects another service'
    : ''
}
