import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import type { VerifyControl, VerifyPart } from '#operations'

import { wholeNumber } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { runJob } from '../run-job.ts'

interface VerifyCommandOptions {
  readonly sample?: number
  readonly seed: string
  readonly findingsMax: number
  readonly views?: boolean
}

const help = `
Reads Kafka, Redis and the view store directly (with the settings of the services: docs/configuration.md) and changes nothing. Services can keep
running. docs/operations/verify.md describes what is compared and what each finding means.

Examples:
  annals verify
  annals verify customer --views
  annals verify --sample 1000 --seed "$(date +%F)" --json`

export function addVerify(program: Command, cli: Cli): void {
  withLimits(
    program
      .command('verify')
      .description(
        'Verify that every stream is complete, and that index, snapshots and projections match the log.',
      )
      .argument('[aggregateType...]', 'aggregate types; default: all')
      .option('--views', 'also compare views with a fold of the whole log: takes as long as a rebuild'),
  )
    .addHelpText('after', help)
    .action(async (types: readonly string[], options: VerifyCommandOptions) => {
      const parts: VerifyPart[] = ['log', 'index', 'snapshots', 'projections']
      cli.report(
        await verifyReport(cli, types, options.views === true ? [...parts, 'views'] : parts, options),
      )
    })
}

/** Adds the options of all commands that verify. */
export const withLimits = (command: Command): Command =>
  command
    .addOption(
      new Option('--sample <streams>', 'verify only a sample of about this many streams').argParser(
        wholeNumber('--sample', 1, 1_000_000_000),
      ),
    )
    .addOption(new Option('--seed <text>', 'selects the sample: another text, another sample').default(''))
    .addOption(
      new Option('--findings-max <count>', 'how many findings to print; all are counted')
        .argParser(wholeNumber('--findings-max', 1, 100_000))
        .default(100),
    )

/** Verifies the given parts and reports the findings. */
export async function verifyReport(
  cli: Cli,
  types: readonly string[],
  parts: readonly VerifyPart[],
  { sample, seed, findingsMax }: Omit<VerifyCommandOptions, 'views'>,
): Promise<CommandReport> {
  // Loaded here only, as for doctor.
  const [{ verify }, { verificationReport }, { withReadingBackends }] = await Promise.all([
    import('#operations'),
    import('../reports/verification-report.ts'),
    import('#service'),
  ])
  const config = loadConfig(cli.env)
  const request = { types, parts, seed, findingsMax, ...(sample !== undefined && { sample }) }
  const verification = await runJob(cli, (control: VerifyControl) =>
    withReadingBackends(config, (backends) => verify(config, backends, request, control), control.signal),
  )
  return verificationReport(verification, parts)
}
