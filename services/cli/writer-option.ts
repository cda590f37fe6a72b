import { type Command, Option } from 'commander'

import { AnnalsClient, type RetryLimits } from '#client'

import type { Cli } from './cli.ts'

export interface WriterOption {
  readonly url: string
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

/** Adds the option `--url`. @param asked the service to call, for the help text. */
export const withWriterOption = (command: Command, { env }: Cli, asked = 'writer'): Command =>
  command.addOption(
    new Option('--url <url>', `address of the ${asked}; ANNALS_URL sets it too`).default(
      env['ANNALS_URL'] || 'http://127.0.0.1:7400',
    ),
  )

/**
 * Runs `use` with a client of that service, and closes the client. The service forwards requests that another instance owns.
 */
export async function withClient<T>(
  { url }: WriterOption,
  use: (client: AnnalsClient) => Promise<T>,
  { retries = impatient, signal }: ClientOptions = {},
): Promise<T> {
  const client = new AnnalsClient({ url, direct: false, timeoutMs, retries })
  try {
    return await use(client)
  } finally {
    await (signal?.aborted === true ? client.destroy() : client.close())
  }
}
