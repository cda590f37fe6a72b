import { type Command, Option } from 'commander'

import { loadConfig } from '#config'
import type { VerifyControl, VerifyPart } from '#operations'

import { count } from '../arguments.ts'
import type { Cli, Report } from '../cli.ts'
import { runJob } from '../run-job.ts'

interface VerifyCommandOptions {
  readonly sample?: number
  readonly seed: string
  readonly findingsMax: number
  readonly views?: boolean
}

const help = `
It reads Kafka, Redis and the store of views directly (settings as for the services: docs/configuration.md) and changes nothing. Writers,
snapshotters and projectors may go on meanwhile. docs/operations/verify.md tells what is compared, and what each finding means.

Examples:
  annals verify
  annals verify customer --views
  annals verify --sample 1000 --seed "$(date +%F)" --json`

export function addVerify(program: Command, cli: Cli): void {
  withLimits(
    program
      .command('verify')
      .description('Compare log, index, snapshots and projections: every stream whole, every copy equal.')
      .argument('[aggregateType...]', 'which streams; all where none is named')
      .option('--views', 'compare views with a fold of the whole log as well: takes as long as a rebuild'),
  )
    .addHelpText('after', help)
    .action(async (types: readonly string[], options: VerifyCommandOptions) => {
      const parts: VerifyPart[] = ['log', 'index', 'snapshots', 'projections']
      cli.report(
        await verifyReport(cli, types, options.views === true ? [...parts, 'views'] : parts, options),
      )
    })
}

/** Options of everything that compares. */
export const withLimits = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--sample <streams>',
        'look closely at about so many streams; the others are passed over',
      ).argParser(count('--sample', 1, 1_000_000_000)),
    )
    .addOption(new Option('--seed <text>', 'another text takes another sample').default(''))
    .addOption(
      new Option('--findings-max <count>', 'findings that are printed; all are counted')
        .argParser(count('--findings-max', 1, 100_000))
        .default(100),
    )

/** Compares, and says what was found. */
export async function verifyReport(
  cli: Cli,
  types: readonly string[],
  parts: readonly VerifyPart[],
  { sample, seed, findingsMax }: Omit<VerifyCommandOptions, 'views'>,
): Promise<Report> {
  // Loaded only here, as by doctor: the clients of Kafka and Redis take their time.
  const [{ verify }, { verificationReport }, { withReadingBackends }] = await Promise.all([
    import('#operations'),
    import('../reports/verification-report.ts'),
    import('#service'),
  ])
  const config = loadConfig(cli.env)
  const request = { types, parts, seed, findingsMax, ...(sample !== undefined && { sample }) }
  const beganMs = performance.now()
  const verification = await runJob(cli, (control: VerifyControl) =>
    withReadingBackends(config, (backends) => verify(config, backends, request, control)),
  )
  return verificationReport(verification, parts, Math.round(performance.now() - beganMs))
}
