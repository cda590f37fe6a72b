import { stripVTControlCharacters, styleText } from 'node:util'

import type { OperationNotice } from '#operations'

import type { CommandReport } from './cli.ts'
import type { CommandFailure } from './failure.ts'
import { printable } from './visible.ts'

export function printReport({ document, text, isAside = false }: CommandReport, isJson: boolean): void {
  const printed = isJson ? JSON.stringify(document) : printable(text)
  if (isAside) console.error(printed)
  else console.log(printed)
}

/** Prints a notice of a running job on stderr, because stdout holds its result. Programs get only warnings. */
export function printNotice(notice: OperationNotice, isJson: boolean): void {
  if (notice.kind === 'warning') process.stderr.write(`warning: ${notice.message}\n`)
  else if (!isJson) process.stderr.write(`${waitingText(notice)}\n`)
}

type GroupNotice = Extract<OperationNotice, { readonly kind: 'waiting-for-group' }>

const waitingText = ({ groupId, members, waitMs }: GroupNotice): string =>
  `group ${groupId} has ${members} member${members === 1 ? '' : 's'}: waiting up to ${Math.ceil(waitMs / 1_000)} s for Kafka to remove stopped members`

/** Prints the message on stderr. With `--json` it also prints the error as a document on stdout. */
export function printFailure({ exitCode, code, message, details }: CommandFailure, isJson: boolean): void {
  console.error(
    `${styleText('red', 'error:', { stream: process.stderr })} ${printable(stripVTControlCharacters(message))}`,
  )
  if (isJson) console.log(JSON.stringify({ error: { code, exitCode, message, ...details } }))
}

/**
 * Ends the process when standard output cannot be written: with 0 if the reader closed it (`./annals … | head`), with 1 and a message for
 * any other reason.
 */
export function endOnBrokenOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    printFailure(outputFailure(error), false)
    process.exit(1)
  })
  // An error of stderr cannot be reported anywhere.
  process.stderr.on('error', () => undefined)
}

/** The command itself may have succeeded: only its output is incomplete. */
const outputFailure = ({ message }: Error): CommandFailure => ({
  exitCode: 1,
  code: 'output-failed',
  message: `standard output cannot be written: ${message}. The changes of the command took effect; part of its output is missing`,
})
