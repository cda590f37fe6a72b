import { Command } from 'commander'

import type { Environment } from '#config'

import type { Cli } from './cli.ts'
import { addAccess } from './commands/access.ts'
import { addAppend } from './commands/append.ts'
import { addAudit } from './commands/audit.ts'
import { addBackup } from './commands/backup.ts'
import { addCompletion } from './commands/completion.ts'
import { addContext } from './commands/context.ts'
import { addDeadLetters } from './commands/deadletters.ts'
import { addDoctor } from './commands/doctor.ts'
import { addExport } from './commands/export.ts'
import { addImport } from './commands/import.ts'
import { addImportRollback } from './commands/import-rollback.ts'
import { addIndex } from './commands/index-commands.ts'
import { addOwners } from './commands/owners.ts'
import { addProjection } from './commands/projection.ts'
import { addReplay } from './commands/replay.ts'
import { addRestore } from './commands/restore.ts'
import { addSchemas } from './commands/schemas.ts'
import { addSnapshot } from './commands/snapshot.ts'
import { addStream } from './commands/stream.ts'
import { addTopics } from './commands/topics.ts'
import { addVerify } from './commands/verify.ts'
import { addVersion, withoutVersionFlag } from './commands/version.ts'
import { type ExitCode, exitCodesHelp } from './exit-code.ts'
import { endOfHelp, failureOf } from './failure.ts'
import { printFailure, printReport } from './print.ts'
import { addReachHelp, pathOf } from './reach/reach-help.ts'
import { withRightsAdvice } from './reach/rights-advice.ts'

/**
 * Runs one command. It never throws: a failure is printed on stderr, and with `--json` on stdout as well.
 * @param args without the name of the program
 * @param given the environment without the addresses of the local stack
 */
export async function runCli(
  args: readonly string[],
  env: Environment,
  given: Environment = env,
): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  const isJson = args.includes('--json')
  const cli: Cli = {
    env,
    given,
    isJson,
    report: (report) => {
      exitCode = report.exitCode ?? 0
      printReport(report, isJson)
    },
  }
  let path = ''
  const program = programOf(cli).hook('preAction', (_, command) => {
    path = pathOf(command)
  })
  try {
    await program.parseAsync(withoutVersionFlag(args), { from: 'user' })
    return exitCode
  } catch (error) {
    const helped = endOfHelp(error)
    if (helped !== undefined) return helped
    const failure = withRightsAdvice(failureOf(error), path)
    printFailure(failure, isJson)
    return failure.exitCode
  }
}

/** The program with all of its commands. */
export function programOf(cli: Cli): Command {
  const program = new Command('annals')
    .description('Appends to streams, reads them, and operates an Annals installation.')
    .option('--json', 'print one JSON document instead of text')
    .configureHelp({ showGlobalOptions: true })
    // printFailure prints all errors.
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .addHelpText('after', `\n${exitCodesHelp}`)
  addAppend(program, cli)
  addExport(program, cli)
  addImport(program, cli)
  addImportRollback(program, cli)
  addStream(program, cli)
  addProjection(program, cli)
  addReplay(program, cli)
  addDeadLetters(program, cli)
  addSnapshot(program, cli)
  addOwners(program, cli)
  addContext(program, cli)
  addDoctor(program, cli)
  addVerify(program, cli)
  addAudit(program, cli)
  addBackup(program, cli)
  addRestore(program, cli)
  addIndex(program, cli)
  addTopics(program, cli)
  addSchemas(program, cli)
  addAccess(program, cli)
  addCompletion(program, cli)
  addVersion(program, cli)
  addReachHelp(program)
  return program
}
