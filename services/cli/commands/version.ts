import type { Command } from 'commander'

import type { Cli } from '../cli.ts'

const help = `
Examples:
  annals version
  annals --version`

export function addVersion(program: Command, cli: Cli): void {
  program
    .command('version')
    .description('Print the version of Annals.')
    .addHelpText('after', help)
    .action(async () => {
      // Loaded here only: #service loads the clients of Kafka and Redis.
      const { version } = await import('#service')
      cli.report({ document: { version }, text: version })
    })
}

/** Turns `--version` and `-V` before a command into the command `version`. After a command it is an option of that command. */
export const withoutVersionFlag = ([first, ...rest]: readonly string[]): readonly string[] =>
  first === undefined ? [] : [first === '--version' || first === '-V' ? 'version' : first, ...rest]
