import { DatabaseError } from 'pg'

import { ViewStoreUnavailableError } from '#projections'

import { GuardedClient } from './guarded-client.ts'
import { databaseSettings } from './postgres-settings.ts'

const probeMs = 5_000
/** Invalid authorization: no rule of pg_hba.conf lets this client in. */
const rejection = /^28/
/** Parameters of a URL that hold a login. */
const logins = ['password', 'sslcert', 'sslkey']

/**
 * Whether PostgreSQL rejects the user of this URL without a password and without a certificate.
 * @throws ViewStoreUnavailableError when it cannot be reached, so that nothing is known; InvalidInputError when the URL is malformed
 */
export async function postgresAsksForLogin(url: string): Promise<boolean> {
  const { where } = databaseSettings({ url })
  const anonymous = new URL(url)
  anonymous.password = ''
  for (const name of logins) anonymous.searchParams.delete(name)
  const client = new GuardedClient({ connectionString: anonymous.href, connectionTimeoutMillis: probeMs })
  const asked = { forPassword: false }
  // Called only when the server asks for a password. Without it, the client would look for one in the environment.
  const password = () => {
    asked.forPassword = true
    return ''
  }
  Object.assign(client, { password })
  try {
    await client.connect()
    return asked.forPassword
  } catch (error) {
    if (asked.forPassword || (error instanceof DatabaseError && rejection.test(error.code ?? ''))) return true
    const reason = error instanceof Error ? error.message : String(error)
    throw new ViewStoreUnavailableError(`PostgreSQL at ${where}: ${reason}`, { cause: error })
  } finally {
    void client.end().catch(() => undefined)
  }
}
