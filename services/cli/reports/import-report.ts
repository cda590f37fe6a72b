import type { ImportEnd, ImportOutcome, ImportRequest, LineProblem } from '#operations'

import type { CommandReport } from '../cli.ts'
import type { ExitCode } from '../exit-code.ts'
import { grouped } from '../progress/progress-text.ts'
import { listOfPairs } from '../table.ts'

/** How many problems the text shows. */
const shownMax = 10

/** The report of an import. */
export function importReport(outcome: ImportOutcome, request: ImportRequest): CommandReport {
  const { from, checkpoint, report } = request
  const { contents, problems, status: end, tookMs, ...rest } = outcome
  const seconds = tookMs / 1_000
  const eventsPerSecond = seconds > 0 ? Math.round(outcome.appended / seconds) : 0
  return {
    document: {
      file: from.file,
      ...contents,
      ...rest,
      end,
      seconds,
      eventsPerSecond,
      isSchemaChecked: request.check !== undefined,
      ...(from.importId !== undefined && { importId: from.importId }),
      ...(checkpoint !== undefined && { checkpoint }),
      problems,
    },
    text: [
      headlines[end](outcome, request),
      figures(outcome, eventsPerSecond, request),
      ...warnings(outcome),
      ...problemLines(outcome, report),
    ].join('\n'),
    exitCode: exitCodeOf(outcome),
  }
}

const exitCodes: Readonly<Partial<Record<ImportEnd, ExitCode>>> = { interrupted: 130, refused: 1, stopped: 1 }

const exitCodeOf = ({ status, problemCount }: ImportOutcome): ExitCode =>
  exitCodes[status] ?? (problemCount > 0 ? 1 : 0)

type Headline = (outcome: ImportOutcome, request: ImportRequest) => string

const howToResume = (line: number, { checkpoint }: ImportRequest): string =>
  checkpoint === undefined || line === 0
    ? 'Run the same command again to resume: no event is appended twice'
    : `Run the same command again to resume after line ${line}: no event is appended twice`

const headlines: Readonly<Record<ImportEnd, Headline>> = {
  done: ({ problemCount }, { from }) =>
    problemCount === 0
      ? `Imported ${from.file}`
      : `Imported ${from.file} except ${grouped(problemCount)} wrong lines. Correct them and import the file again: no event is appended twice`,
  checked: ({ problemCount }, { from }) =>
    `${from.file} ${problemCount === 0 ? 'can be imported' : `has ${grouped(problemCount)} wrong lines`}. Nothing was appended: this was a dry run`,
  refused: ({ problemCount }, { from, errorsMax }) =>
    `${from.file} has ${grouped(problemCount)} wrong lines, and --errors-max is ${errorsMax}: nothing was appended`,
  stopped: ({ line }, request) =>
    `Stopped at the first line that was rejected. Correct it. ${howToResume(line, request)}`,
  interrupted: ({ line }, request) => `Interrupted. ${howToResume(line, request)}`,
}

function figures(outcome: ImportOutcome, eventsPerSecond: number, { from, check }: ImportRequest): string {
  const { contents, appended, alreadyThere, skipped, heldBack, status } = outcome
  const ifAny = (count: number) => (count === 0 ? undefined : grouped(count))
  const hasAppended = status !== 'checked' && status !== 'refused'
  return listOfPairs([
    ['events', grouped(contents.events)],
    ['streams', grouped(contents.streams)],
    ['schemas', check === undefined ? 'not checked' : undefined],
    ['appended', hasAppended ? grouped(appended) : undefined],
    ['already there', ifAny(alreadyThere + skipped)],
    ['held back', ifAny(heldBack)],
    ['rate', appended === 0 ? undefined : `${grouped(eventsPerSecond)} events/s`],
    ['import id', from.importId],
  ])
}

/** Without an id, a corrected line cannot be recognised as the same event. */
const warnings = ({ contents: { withoutId } }: ImportOutcome): string[] =>
  withoutId === 0
    ? []
    : [
        `Warning: ${grouped(withoutId)} events have no id: each is recognised by its stream, type and data. A line that you correct and import again becomes another event. Give each an \`id\``,
      ]

function problemLines({ problems, problemCount }: ImportOutcome, report: string | undefined): string[] {
  const more = problemCount - shownMax
  const where = report === undefined ? '--report <file> lists all' : `${report} lists all`
  return [
    ...problems.slice(0, shownMax).map(problemLine),
    ...(more > 0 ? [`and ${grouped(more)} more: ${where}`] : []),
  ]
}

const problemLine = ({ line, message }: LineProblem): string => `line ${line}: ${message}`
