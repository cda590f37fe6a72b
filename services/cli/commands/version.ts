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
      // Loaded only here: #service brings the clients of Kafka and Redis along.
      const { version } = await import('#service')
      cli.report({ document: { version }, text: version })
    })
}

/** `--version` as every program has it; options of that name that commands have stand behind them. */
export const withoutVersionFlag = ([first, ...rest]: readonly string[]): readonly string[] =>
  first === undefined ? [] : [first === '--version' || first === '-V' ? 'version' : first, ...rest]
