import type { Command } from 'commander'

import { checkYes } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface DiscardOptions extends WriterOption {
  readonly yes?: boolean
}

const resumeHelp = `
A partition stops at an event that cannot be applied, where the projection says so (onError: 'stop'). When the fault
is mended and the projectors run again with it, let it go on.

Example:
  annals projection resume customer-lifetime`

const discardHelp = `
Example:
  annals projection discard customer-lifetime 0198c0de-0000-7000-8000-000000000001 --yes`

export function addProjectionChanges(projection: Command, cli: Cli): void {
  const resume = projection
    .command('resume')
    .description('Let stopped partitions go on.')
    .argument('<name>', 'of the projection')
    .addHelpText('after', resumeHelp)
    .action(async (name: string, options: WriterOption) => {
      const { resumed } = await withClient(options, (client) => client.projection(name).resume())
      cli.report(resumedReport(name, resumed))
    })
  withWriterOption(resume, cli, 'projector')

  const discard = projection
    .command('discard')
    .description(
      'Give up a generation that does not serve: a look at the past, or a rebuild that is not wanted.',
    )
    .argument('<name>', 'of the projection')
    .argument('<generation>', 'its id, as `projection show` tells it')
    .option('--yes', 'do it')
    .addHelpText('after', discardHelp)
    .action(async (name: string, generation: string, options: DiscardOptions) => {
      checkYes(options, `take away generation ${generation} of ${name} with all its views`)
      await withClient(options, (client) => client.projection(name).discard(generation))
      cli.report({
        document: { projection: name, generation },
        text: `Generation ${generation} of ${name} is being taken away`,
      })
    })
  withWriterOption(discard, cli, 'projector')
}

const resumedReport = (name: string, resumed: number): Report => ({
  document: { projection: name, resumed },
  text:
    resumed === 0
      ? `No partition of ${name} was stopped`
      : `${resumed} stopped ${resumed === 1 ? 'partition' : 'partitions'} of ${name} may go on`,
})
