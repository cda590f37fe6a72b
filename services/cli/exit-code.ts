/** How every command ends; docs/operations/cli.md has the same table. */
export const exitCodes = {
  0: 'done',
  1: 'failed or refused: nothing was changed, or a check found something',
  2: 'not understood: an option, an argument or a setting is wrong',
  3: 'unreachable: a service, Kafka, Redis or the registry did not answer, or cannot serve now',
  4: 'outcome unknown: what was asked may or may not have been done',
  5: 'a fault in Annals itself',
  130: 'interrupted by Ctrl-C: what was begun goes on, or goes on with the same command',
} as const

export type ExitCode = keyof typeof exitCodes

export const exitCodesHelp = [
  'Exit codes:',
  ...Object.entries(exitCodes).map(([code, meaning]) => `  ${code.padEnd(3)}  ${meaning}`),
].join('\n')
