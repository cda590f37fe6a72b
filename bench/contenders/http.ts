import { AnnalsClient } from '#client'

import { appended } from '../domain/domain.ts'
import type { Contender } from './contender.ts'
import { startService } from './service-process.ts'

/** Starts the writer as a separate process, reached through the SDK. */
export async function startHttp(env: Readonly<Record<string, string>>): Promise<Contender> {
  const service = await startService('writer', env)
  const client = new AnnalsClient({ url: service.url })
  return {
    append: (stream) => client.append(`bench-http.${stream}`, [appended], { expectedVersion: 'no-stream' }),
    close: async () => {
      await client.close()
      await service.stop()
    },
  }
}
