import { type Command, Option } from 'commander'

import type { AuditOutcome } from '#audit'
import { loadConfig, parseQuantity, timeUnits } from '#config'
import { parseTime } from '#event-store'
import type { AuditControl, AuditRequest } from '#operations'

import { wholeNumber } from '../arguments.ts'
import type { Cli, CommandReport } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { runJob } from '../run-job.ts'

interface AuditOptions {
  readonly since: number
  readonly until?: number
  readonly principal?: string
  readonly resource?: string
  readonly outcome?: AuditOutcome
  readonly type?: readonly string[]
  readonly limit?: number
  readonly lines?: boolean
  readonly follow?: boolean
}

const outcomes: readonly AuditOutcome[] = ['success', 'failure', 'denied']
const limitMax = 100_000
const limitDefault = 1_000

const help = `
Reads the topic of the audit trail (ANNALS_AUDIT_TOPIC) directly; nothing else is contacted. The oldest entries come first. In patterns * stands for any
characters. docs/operations/audit.md lists what is recorded, with the types of entries and the rights that this command needs in Kafka.

Examples:
  annals audit --since 7d --outcome denied
  annals audit --since 2026-01-01 --until 2026-02-01 --type access.changed
  annals audit --resource 'order.*' --principal web-1 --since 24h
  annals audit --type 'dead-letters.*' --since 30d --json
  annals audit --since 1h --follow --lines | jq .reason`

export function addAudit(program: Command, cli: Cli): void {
  program
    .command('audit')
    .description('Search the audit trail: denials, and what administrators and operators did.')
    .addOption(
      new Option('--since <time>', 'not before: ISO 8601, or a duration before now, e.g. 90m or 7d')
        .argParser(timeOrAgo('--since'))
        .default(timeOrAgo('--since')('7d'), '7d'),
    )
    .option('--until <time>', 'before: ISO 8601, or a duration before now', timeOrAgo('--until'))
    .option('--principal <name>', 'of this principal; or a pattern, e.g. cli:*')
    .option('--resource <resource>', 'with this resource; or a pattern as in rules of access, e.g. order.*')
    .addOption(new Option('--outcome <outcome>', 'with this outcome').choices(outcomes))
    .option('--type <type>', 'of this type, e.g. access.denied; or a pattern; repeat for more', again)
    .option(
      '--limit <count>',
      `how many entries at most, up to ${limitMax}; default ${limitDefault}, with --lines or --follow all`,
      wholeNumber('--limit', 1, limitMax),
    )
    .option('--lines', 'print one JSON document per entry, as they are read')
    .option('--follow', 'keep printing new entries until Ctrl-C')
    .addHelpText('after', help)
    .action(async (options: AuditOptions) => {
      cli.report(await audit(cli, options))
    })
}

const again = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** Parses a time, or a duration before now. @returns milliseconds since 1970. */
const timeOrAgo =
  (option: string) =>
  (text: string): number => {
    const ago = parseQuantity(text, timeUnits)
    if ('value' in ago) return Date.now() - ago.value
    if (/^\d+ ?[a-z]+$/i.test(text)) {
      throw new UsageError(`${option} ${text}: ${ago.problem}: expected e.g. 90m, 7d or 2026-01-31T12:00:00Z`)
    }
    return parseTime(text, option)
  }

function requestOf(options: AuditOptions): AuditRequest {
  const { since, until, principal, resource, outcome, type: types, lines, follow } = options
  if (until !== undefined && until <= since) throw new UsageError('--until must be after --since')
  if (until !== undefined && follow === true) throw new UsageError('--follow has no end: leave out --until')
  const limit = options.limit ?? (lines === true || follow === true ? undefined : limitDefault)
  return {
    sinceMs: since,
    ...(until !== undefined && { untilMs: until }),
    ...(principal !== undefined && { principal }),
    ...(resource !== undefined && { resource }),
    ...(outcome !== undefined && { outcome }),
    ...(types !== undefined && { types }),
    ...(limit !== undefined && { limit }),
    isFollowing: follow === true,
  }
}

async function audit(cli: Cli, options: AuditOptions): Promise<CommandReport> {
  const request = requestOf(options)
  const isStreamed = options.lines === true || options.follow === true
  if (cli.isJson && isStreamed) {
    throw new UsageError('--json prints one document: use --lines without it for one document per entry')
  }
  const config = loadConfig(cli.env)
  // Loaded here only: the Kafka clients would double the start time of every other command.
  const [{ runAudit }, { auditReport, EntryList, EntryPrinter, searchReport }] = await Promise.all([
    import('#operations'),
    import('../reports/audit-report.ts'),
  ])
  const output = isStreamed ? new EntryPrinter(process.stdout, options.lines === true) : new EntryList()
  const job = (control: AuditControl) =>
    runAudit({ config, onEntry: (entry) => output.add(entry) }, request, control)
  const isQuiet = cli.isJson || options.follow === true || (isStreamed && process.stdout.isTTY)
  const search = await runJob(cli, job, { isQuiet })
  return output instanceof EntryList ? auditReport(search, output.entries) : searchReport(search)
}
