/** The exit codes of all commands. docs/operations/cli.md has the same table. */
export const exitCodes = {
  0: 'success',
  1: 'failed or rejected: nothing was changed, or a check found problems',
  2: 'invalid usage: an option, an argument or a setting is wrong',
  3: 'unavailable: a service, Kafka, Redis or the registry did not answer, or cannot serve now',
  4: 'outcome unknown: the operation may or may not have taken effect',
  5: 'internal error: a bug in Annals',
  130: 'interrupted by Ctrl-C: the work continues on the server, or the same command resumes it',
} as const

export type ExitCode = keyof typeof exitCodes

export const exitCodesHelp = [
  'Exit codes:',
  ...Object.entries(exitCodes).map(([code, meaning]) => `  ${code.padEnd(3)}  ${meaning}`),
].join('\n')
