import { stripVTControlCharacters, styleText } from 'node:util'

import type { OperationNotice } from '#operations'

import type { Report } from './cli.ts'
import type { Failure } from './failure.ts'
import { printable } from './visible.ts'

export function printReport({ document, text, isAside = false }: Report, isJson: boolean): void {
  const printed = isJson ? JSON.stringify(document) : printable(text)
  if (isAside) console.error(printed)
  else console.log(printed)
}

/** What a job says while it runs: on stderr, so that stdout has its result alone. Programs get warnings only. */
export function printNotice(notice: OperationNotice, isJson: boolean): void {
  if (notice.kind === 'warning') process.stderr.write(`warning: ${notice.message}\n`)
  else if (!isJson) process.stderr.write(`${waitingText(notice)}\n`)
}

type GroupNotice = Extract<OperationNotice, { readonly kind: 'waiting-for-group' }>

const waitingText = ({ groupId, members, waitMs }: GroupNotice): string =>
  `group ${groupId} has ${members} member${members === 1 ? '' : 's'}: waiting up to ${Math.ceil(waitMs / 1_000)} s, in case that is what was stopped before`

/** The sentence goes to stderr in any case, so that it is seen where a program takes what is on stdout. */
export function printFailure({ exitCode, code, message, details }: Failure, isJson: boolean): void {
  console.error(
    `${styleText('red', 'error:', { stream: process.stderr })} ${printable(stripVTControlCharacters(message))}`,
  )
  if (isJson) console.log(JSON.stringify({ error: { code, exitCode, message, ...details } }))
}

/** Who reads our output may have had enough (`./annals … | head`): that is no failure. Any other reason why it cannot be written is one. */
export function endOnBrokenOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    printFailure(outputFailure(error), false)
    process.exit(1)
  })
  // There is nowhere left to say it.
  process.stderr.on('error', () => undefined)
}

/** The command may have done what it was asked: only what it printed is missing. */
const outputFailure = ({ message }: Error): Failure => ({
  exitCode: 1,
  code: 'output-failed',
  message: `standard output cannot be written: ${message}. What the command did is done; part of what it printed is missing`,
})
