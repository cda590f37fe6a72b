import type { Command } from 'commander'

import { checkYes } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { withClient, withWriterOption, type WriterOption } from '../writer-option.ts'

interface DiscardOptions extends WriterOption {
  readonly yes?: boolean
}

const resumeHelp = `
If a projection declares onError: 'stop', a partition stops at an event that cannot be applied. Deploy the fix to the
projectors first, then resume.

Example:
  annals projection resume customer-lifetime`

const discardHelp = `
Example:
  annals projection discard customer-lifetime 0198c0de-0000-7000-8000-000000000001 --yes`

export function addProjectionChanges(projection: Command, cli: Cli): void {
  const resume = projection
    .command('resume')
    .description('Resume stopped partitions.')
    .argument('<name>', 'name of the projection')
    .addHelpText('after', resumeHelp)
    .action(async (name: string, options: WriterOption) => {
      const { resumed } = await withClient(options, (client) => client.projection(name).resume())
      cli.report(resumedReport(name, resumed))
    })
  withWriterOption(resume, cli, 'projector')

  const discard = projection
    .command('discard')
    .description('Discard a generation that is not serving: a view of the past, or an unwanted rebuild.')
    .argument('<name>', 'name of the projection')
    .argument('<generation>', 'its id, as `projection show` prints it')
    .option('--yes', 'confirm')
    .addHelpText('after', discardHelp)
    .action(async (name: string, generation: string, options: DiscardOptions) => {
      checkYes(options, `remove generation ${generation} of ${name} with all its views`)
      await withClient(options, (client) => client.projection(name).discard(generation))
      cli.report({
        document: { projection: name, generation },
        text: `Generation ${generation} of ${name} is being removed`,
      })
    })
  withWriterOption(discard, cli, 'projector')
}

const resumedReport = (name: string, resumed: number): CommandReport => ({
  document: { projection: name, resumed },
  text:
    resumed === 0
      ? `No partition of ${name} was stopped`
      : `${resumed} stopped ${resumed === 1 ? 'partition' : 'partitions'} of ${name} resumed`,
})
