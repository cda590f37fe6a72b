import { stripVTControlCharacters, styleText } from 'node:util'

import type { Report } from './cli.ts'
import type { Failure } from './failure.ts'

export function printReport({ document, text, isAside = false }: Report, isJson: boolean): void {
  const printed = isJson ? JSON.stringify(document) : text
  if (isAside) console.error(printed)
  else console.log(printed)
}

/** The sentence goes to stderr in any case, so that it is seen where a program takes what is on stdout. */
export function printFailure({ exitCode, code, message, details }: Failure, isJson: boolean): void {
  console.error(
    `${styleText('red', 'error:', { stream: process.stderr })} ${stripVTControlCharacters(message)}`,
  )
  if (isJson) console.log(JSON.stringify({ error: { code, exitCode, message, ...details } }))
}

/** Who reads our output may have had enough: `./annals … | head`. */
export function endQuietlyOnBrokenPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}
