import { checkServiceConfig, ConfigError, loadConfig } from '#config'
import { InvalidInputError } from '#domain'
import { SchemaError } from '#schemas'
import { checkedDomain } from '#service'

import { type Report, StackError } from '../stack/index.ts'

/**
 * Checks whether the platform could start with these settings, this domain and these schemas, before any server is
 * started.
 * @throws StackError with exit code 2 and the problem
 */
export async function preflight(env: NodeJS.ProcessEnv, report: Report): Promise<void> {
  try {
    const config = loadConfig(env)
    checkServiceConfig(config)
    const { warnings } = await checkedDomain(config)
    for (const warning of warnings) report(`Warning: ${warning}`)
  } catch (error) {
    const isUserError = [ConfigError, InvalidInputError, SchemaError].some((kind) => error instanceof kind)
    if (!isUserError) throw error
    throw new StackError(`Nothing was started: ${(error as Error).message}`, 2)
  }
}
