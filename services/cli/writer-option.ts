import { type Command, Option } from 'commander'

import { AnnalsClient, type RetryLimits } from '#client'

import type { Cli } from './cli.ts'
import { type Connection, connectionOf, type ConnectionOptions, defaultUrl } from './connection/connection.ts'

/** The service that a command calls. */
export interface WriterOption {
  readonly connection: () => Promise<Connection>
}

interface ClientOptions {
  /** Default: retries for at most 3 s. */
  readonly retries?: Partial<RetryLimits>
  /** Once it has aborted, closing the client does not wait for requests in flight. */
  readonly signal?: AbortSignal
}

/** Longer than a writer tries an append (30 s), so that the writer reports the outcome. */
const timeoutMs = 35_000
/** Long enough for a partition that changes its owner; short enough for a person who waits for a missing writer. */
const impatient: Partial<RetryLimits> = { totalMsMax: 3_000 }

/** Adds the options `--url` and `--context`. The action gets the connection that they select. @param asked the service to call, for the help text */
export const withWriterOption = (command: Command, cli: Cli, asked = 'writer'): Command =>
  command
    .addOption(
      new Option(
        '--url <url>',
        `address of the ${asked}; ANNALS_URL sets it too (default: ${cli.env['ANNALS_URL'] || defaultUrl})`,
      ),
    )
    .option('--context <name>', 'address and credentials of that context; ANNALS_CONTEXT sets it too')
    .hook('preAction', (_, action) => {
      const connection = () => connectionOf(cli, action.opts<ConnectionOptions>())
      action.setOptionValue('connection', connection)
    })

/**
 * Runs `use` with a client of that service, and closes the client. The service forwards requests that another instance owns.
 */
export async function withClient<T>(
  { connection }: WriterOption,
  use: (client: AnnalsClient) => Promise<T>,
  { retries = impatient, signal }: ClientOptions = {},
): Promise<T> {
  const client = new AnnalsClient({ ...(await connection()), direct: false, timeoutMs, retries })
  try {
    return await use(client)
  } finally {
    await (signal?.aborted === true ? client.destroy() : client.close())
  }
}
