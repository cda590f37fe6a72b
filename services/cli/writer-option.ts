import { type Command, Option } from 'commander'

import { AnnalsClient, type RetryLimits } from '#client'

import type { Cli } from './cli.ts'

export interface WriterOption {
  readonly url: string
}

/** Longer than a writer tries an append (30 s), so that it is the writer who says what became of it. */
const timeoutMs = 35_000
/** A person waits: a partition that moves is worth some tries, a writer that is not there is not worth many. */
const impatient: Partial<RetryLimits> = { totalMsMax: 3_000 }

/** Adds the option that says which writer, or which projector, to ask. */
export const withWriterOption = (command: Command, { env }: Cli, asked = 'writer'): Command =>
  command.addOption(
    new Option('--url <url>', `the ${asked} to ask; also by ANNALS_URL`).default(
      env['ANNALS_URL'] || 'http://127.0.0.1:7400',
    ),
  )

/**
 * Does something with a client of that writer. It passes on what is not its own, so one request is one way.
 * @param retries what is worth waiting for; by default a person is not kept for more than 3 s.
 */
export async function withClient<T>(
  { url }: WriterOption,
  use: (client: AnnalsClient) => Promise<T>,
  retries = impatient,
): Promise<T> {
  const client = new AnnalsClient({ url, direct: false, timeoutMs, retries })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}
