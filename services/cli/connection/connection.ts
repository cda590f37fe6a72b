import { readFile, stat } from 'node:fs/promises'

import type { ClientTlsOptions } from '#client'
import type { Environment } from '#config'

import type { Cli } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { type Context, contextNamed, readContexts } from './context-file.ts'

/** The service that a command calls, with the credentials for it. */
export interface Connection {
  readonly url: string
  readonly token?: string
  readonly tls?: ClientTlsOptions
  readonly allowPlainHttp?: boolean
}

export interface ConnectionOptions {
  readonly url?: string
  /** Name of a context. */
  readonly context?: string
}

export const defaultUrl = 'http://127.0.0.1:7400'

const credentialVariables = [
  'ANNALS_TOKEN',
  'ANNALS_CA_FILE',
  'ANNALS_CLIENT_CERT_FILE',
  'ANNALS_CLIENT_KEY_FILE',
]

/**
 * The connection that options and environment select: `--context`, else `--url`, else ANNALS_CONTEXT, else ANNALS_URL and the variables of
 * credentials, else the context in use, else the local stack. A context is complete: nothing from the environment is mixed into it, so
 * that no token goes to another installation.
 * @throws UsageError when there is no such context, variables contradict each other, or a file cannot be read
 */
export async function connectionOf(cli: Cli, { url, context }: ConnectionOptions): Promise<Connection> {
  const name = context ?? (url === undefined ? await selectedContext(cli) : undefined)
  if (name === undefined) return loaded(fromEnvironment(cli, url))
  const found = contextNamed(await readContexts(cli.env), name)
  return loaded({ ...namesOf(found, name), ...(url !== undefined && { url }) })
}

/** The connection of a context. @throws UsageError when a file cannot be read */
export const connectionWith = (context: Context, name: string): Promise<Connection> =>
  loaded(namesOf(context, name))

/** The name of the context that a command uses without options; undefined if the environment names the service, or nothing does. */
export async function selectedContext(cli: Cli): Promise<string | undefined> {
  const given = givenTo(cli)
  const other = ['ANNALS_URL', ...credentialVariables].find((variable) => isSet(given, variable))
  const name = given['ANNALS_CONTEXT']
  if (name) {
    if (other === undefined) return name
    throw new UsageError(
      `ANNALS_CONTEXT and ${other} are both set: unset one of them, because a context has an address and credentials of its own`,
    )
  }
  return other === undefined ? (await readContexts(cli.env)).current : undefined
}

const isSet = (env: Environment, variable: string): boolean => (env[variable] ?? '') !== ''

/** Without the addresses of the local stack. */
const givenTo = ({ env, given = env }: Cli): Environment => given

/** A context whose paths have names for error messages. */
interface Named extends Context {
  readonly nameOf: (field: 'token' | 'tokenFile' | 'caFile' | 'certFile' | 'keyFile') => string
}

const namesOf = (context: Context, name: string): Named => ({
  ...context,
  nameOf: (field) => `${field} of the context ${name}`,
})

const variables = {
  token: 'ANNALS_TOKEN',
  tokenFile: 'ANNALS_TOKEN',
  caFile: 'ANNALS_CA_FILE',
  certFile: 'ANNALS_CLIENT_CERT_FILE',
  keyFile: 'ANNALS_CLIENT_KEY_FILE',
} as const

function fromEnvironment({ env }: Cli, url: string | undefined): Named {
  const valueOf = (field: keyof typeof variables) => env[variables[field]] || undefined
  const [token, caFile, certFile, keyFile] = (['token', 'caFile', 'certFile', 'keyFile'] as const).map(
    valueOf,
  )
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UsageError(
      'only one of ANNALS_CLIENT_CERT_FILE and ANNALS_CLIENT_KEY_FILE is set: set both, or none',
    )
  return {
    url: url ?? (env['ANNALS_URL'] || defaultUrl),
    nameOf: (field) => variables[field],
    ...(token !== undefined && { token }),
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  }
}

async function loaded(context: Named): Promise<Connection> {
  const { url, token, allowPlainHttp, nameOf } = context
  const read = async (field: 'tokenFile' | 'caFile' | 'certFile' | 'keyFile') => {
    const path = context[field]
    return path === undefined ? undefined : contentOf(nameOf(field), path)
  }
  const [inFile, ca, cert, key] = await Promise.all([
    read('tokenFile'),
    read('caFile'),
    read('certFile'),
    read('keyFile'),
  ])
  const trimmed = (token ?? inFile)?.trim()
  if (trimmed === '') throw new UsageError(`${nameOf(token === undefined ? 'tokenFile' : 'token')} is empty`)
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return {
    url,
    ...(trimmed !== undefined && { token: trimmed }),
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(allowPlainHttp === true && { allowPlainHttp }),
  }
}

const fileBytesMax = 1_048_576

async function contentOf(name: string, path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > fileBytesMax) throw new Error(`it has more than ${fileBytesMax} bytes`)
    return await readFile(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${name} ${path} cannot be read: ${reason}`, { cause: error })
  }
}
