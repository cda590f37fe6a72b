import type { AccessEditor } from '#access-store'
import { loadConfig } from '#config'
import type { OperationNotice } from '#operations'
import type * as Operations from '#operations'

import type { Cli } from './cli.ts'
import { CommandError, failureOf } from './failure.ts'
import { printNotice } from './print.ts'

/** Where commands of `access` find keys and roles: the end of their help. */
export const accessHelp =
  'Works on the file or topic that ANNALS_ACCESS names, with the same settings as the services. No service has to run.'

/** Calls `use` with the store of access that the settings name. Adds to errors what to do about them. */
export async function withAccess<T>(
  { env, isJson }: Pick<Cli, 'env' | 'isJson'>,
  use: (editor: AccessEditor, operations: typeof Operations) => Promise<T>,
): Promise<T> {
  const config = loadConfig(env)
  const operations = await import('#operations')
  try {
    const onNotice = (notice: OperationNotice) => printNotice(notice, isJson)
    const edits = { operation: 'annals access', onNotice }
    return await operations.withAccessEditor(config, edits, (editor) => use(editor, operations))
  } catch (error) {
    throw advised(error)
  }
}

function advised(error: unknown): unknown {
  const { message, ...failure } = failureOf(error)
  if (failure.exitCode === 4) {
    const advice = 'The change may be in force: check with the list command before you repeat it'
    return new CommandError({ ...failure, message: `${message}. ${advice}` }, { cause: error })
  }
  return error
}
