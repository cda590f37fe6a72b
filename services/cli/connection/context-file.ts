import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import type { Environment } from '#config'
import { didYouMean, quote } from '#domain'

import { UsageError } from '../failure.ts'

/** How to reach an installation. Paths are absolute. */
export interface Context {
  readonly url: string
  /** Never printed. */
  readonly token?: string
  /** A file with the token. */
  readonly tokenFile?: string
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  /** Whether the token may be sent over plain HTTP. */
  readonly allowPlainHttp?: boolean
}

export interface Contexts {
  /** Name of the context that commands use. */
  readonly current?: string
  readonly contexts: Readonly<Record<string, Context>>
}

const none: Contexts = { contexts: {} }

const textFields = ['url', 'token', 'tokenFile', 'caFile', 'certFile', 'keyFile'] as const
const pathFields = ['tokenFile', 'caFile', 'certFile', 'keyFile'] as const
const fields: readonly string[] = [...textFields, 'allowPlainHttp']

/** The path of the contexts file; undefined where the environment names neither it nor a home. */
function contextsPath(env: Environment): string | undefined {
  const { ANNALS_CONTEXTS_FILE: given, XDG_CONFIG_HOME: config, HOME: home } = env
  if (given) return resolve(given)
  if (config) return join(config, 'annals', 'contexts.json')
  return home ? join(home, '.config', 'annals', 'contexts.json') : undefined
}

/** All contexts; none if there is no file. @throws UsageError when the file is not readable, broken, or shows tokens to others */
export async function readContexts(env: Environment): Promise<Contexts> {
  const path = contextsPath(env)
  const text = path && (await contentOf(path))
  if (path === undefined || text === undefined) return none
  const found = parseContexts(path, text)
  if (hasToken(found)) await mustBePrivate(path)
  return found
}

/** Replaces the file. It is private, whether it contains a token or not. */
export async function writeContexts(env: Environment, contexts: Contexts): Promise<void> {
  const path = contextsPath(env)
  if (path === undefined)
    throw new UsageError('there is no place for contexts: set ANNALS_CONTEXTS_FILE to the path of a file')
  const draft = `${path}.${randomUUID()}`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(draft, `${JSON.stringify(contexts, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
    await chmod(draft, 0o600)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw new UsageError(`the contexts file ${path} cannot be written: ${messageOf(error)}`, { cause: error })
  }
}

/** The context of that name. @throws UsageError when there is none */
export function contextNamed({ contexts }: Contexts, name: string): Context {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined
  if (found !== undefined) return found
  const known = Object.keys(contexts)
  const all =
    known.length === 0
      ? 'there are none: create one with annals context put'
      : `there are ${known.join(', ')}`
  throw new UsageError(`there is no context ${quote(name)}; ${all}.${didYouMean(name, known)}`)
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new UsageError(`the contexts file ${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

/** Messages of JSON.parse quote the text, which may be a token: only the place is printed. */
function parseContexts(path: string, text: string): Contexts {
  const refuse = (problem: string) => new UsageError(`the contexts file ${path} is broken: ${problem}`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(messageOf(error))?.[0]
    throw refuse(`it is not JSON${place === undefined ? '' : `, ${place}`}`)
  }
  if (!isObject(json)) throw refuse('expected an object')
  const { current, contexts = {}, ...others } = json
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw refuse(`it has the unknown field ${quote(unknown)}`)
  if (current !== undefined && typeof current !== 'string') throw refuse('current is not a text')
  if (!isObject(contexts)) throw refuse('contexts is not an object')
  const parsed = Object.entries(contexts).map(([name, context]) => {
    const problem = problemOf(context)
    if (problem !== undefined) throw refuse(`the context ${quote(name)} ${problem}`)
    return [name, withAbsolutePaths(context as Context, dirname(path))] as const
  })
  return { ...(current !== undefined && { current }), contexts: Object.fromEntries(parsed) }
}

function problemOf(context: unknown): string | undefined {
  if (!isObject(context)) return 'is not an object'
  const unknown = Object.keys(context).find((name) => !fields.includes(name))
  if (unknown !== undefined) return `has the unknown field ${quote(unknown)}.${didYouMean(unknown, fields)}`
  const wrong = textFields.find((name) => context[name] !== undefined && typeof context[name] !== 'string')
  if (wrong !== undefined) return `has a ${wrong} that is not a text`
  if (context['url'] === undefined) return 'has no url'
  const { token, tokenFile, certFile, keyFile, allowPlainHttp } = context
  if (token !== undefined && tokenFile !== undefined) return 'has both token and tokenFile'
  if ((certFile === undefined) !== (keyFile === undefined)) return 'has only one of certFile and keyFile'
  if (allowPlainHttp !== undefined && typeof allowPlainHttp !== 'boolean')
    return 'has an allowPlainHttp that is neither true nor false'
  return undefined
}

const withAbsolutePaths = (context: Context, folder: string): Context => ({
  ...context,
  ...Object.fromEntries(
    pathFields.flatMap((name) =>
      context[name] === undefined ? [] : [[name, resolve(folder, context[name])]],
    ),
  ),
})

const hasToken = ({ contexts }: Contexts): boolean =>
  Object.values(contexts).some(({ token }) => token !== undefined)

async function mustBePrivate(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o077) === 0) return
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  throw new UsageError(
    `the contexts file ${path} contains tokens, and others may read it (mode ${shown}): run chmod 600 ${path}`,
  )
}

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
