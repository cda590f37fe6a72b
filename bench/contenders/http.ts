import { AnnalsClient } from '#client'

import { appended } from '../domain/domain.ts'
import type { Contender } from './contender.ts'
import { startService } from './service-process.ts'

/** Starts the writer as a separate process, reached through the SDK. */
export async function startHttp(env: Readonly<Record<string, string>>): Promise<Contender> {
  const service = await startService('writer', env)
  const { append, close } = httpContender(new AnnalsClient({ url: service.url }))
  return {
    append,
    close: async () => {
      await close()
      await service.stop()
    },
  }
}

/** Appends through the SDK to writers that run. */
export const httpContender = (client: AnnalsClient): Contender => ({
  append: (stream) => client.append(`bench-http.${stream}`, [appended], { expectedVersion: 'no-stream' }),
  close: () => client.close(),
})
