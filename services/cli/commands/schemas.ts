import type { Command } from 'commander'

import { loadConfig } from '#config'

import type { Cli } from '../cli.ts'

const folders = 'Folders are those of ANNALS_SCHEMAS, upcasters those of the domain modules of ANNALS_DOMAIN.'

const help = (...examples: readonly string[]): string =>
  ['', folders, '', 'Examples:', ...examples.map((example) => `  annals schemas ${example}`)].join('\n')

const subcommands = [
  ['push', 'Register all schemas at the registry; what is there already stays.'],
  ['check', 'Find what is wrong with the schemas, without a registry.'],
  ['types', 'Bring the generated TypeScript types up to date.'],
  ['release', 'Check, then fingerprint new versions, keep samples, generate types.'],
] as const

export function addSchemas(program: Command, cli: Cli): void {
  const schemas = program.command('schemas').description("Look after the events' schemas.")
  schemas.addHelpText('after', help('check', 'push --json'))
  for (const [name, does] of subcommands) {
    schemas
      .command(name)
      .description(does)
      .addHelpText('after', help(name, `${name} --json`))
      .action(async () => {
        // Loaded only here, as with doctor.
        const { schemaCommands } = await import('../schema-commands.ts')
        cli.report(await schemaCommands[name](loadConfig(cli.env)))
      })
  }
}
