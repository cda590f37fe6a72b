import { InvalidInputError, nearestNames, parseAggregateType, quote, streamIdOf, suggestion } from '#domain'

import { parsePrincipalName } from './principal-name.ts'

/** A name, or with `isPrefix` all names that start with `text`. */
export interface NamePattern {
  readonly text: string
  readonly isPrefix: boolean
}

/** What a rule names, taken apart. */
export type Pattern =
  /** `*`: every resource, malformed stream ids included. */
  | { readonly kind: 'everything' }
  | { readonly kind: 'installation' }
  /** `order.42`, `order.eu-*`, `order.*`. Without a type: `*.42`, `*.*`, streams of every type. */
  | { readonly kind: 'stream'; readonly type?: string; readonly id: NamePattern }
  | { readonly kind: 'projection' | 'user'; readonly name: NamePattern }

const forms = 'order.*, order.eu-*, order.42, *.*, projection:loans, user:web-*, installation or *'
const projectionNamePattern = /^[a-z][a-z0-9-]{0,99}$/

/**
 * Takes a pattern of a rule apart. `*` stands for any text at the end of a stream id, a projection or a user, and alone for
 * any aggregate type or for everything. All other characters stand for themselves.
 * @param path path of the pattern, for errors
 * @throws InvalidInputError if it names nothing that can exist.
 */
export function parsePattern(text: string, path: string): Pattern {
  const fail = (why: string): never => {
    throw new InvalidInputError(path, `${path}: pattern ${quote(text)} ${why}`)
  }
  if (text === '*') return { kind: 'everything' }
  if (text === 'installation') return { kind: 'installation' }
  const dot = text.indexOf('.')
  const colon = text.indexOf(':')
  if (colon >= 0 && (dot < 0 || colon < dot)) return parseNamed(text, colon, fail)
  if (dot < 0) return fail(`has no dot${hintFor(text)}`)
  return parseStream(text.slice(0, dot), text.slice(dot + 1), fail)
}

/** What somebody may have meant who wrote a pattern without a dot. */
function hintFor(text: string): string {
  const near = nearestNames(text, ['installation'])
  if (near.length > 0) return `; did you mean ${near.join()}?`
  const isType = isValid(() => parseAggregateType(text))
  return isType ? `; for all streams of a type write ${text}.*` : `: expected ${forms}`
}

/** @returns never: it throws an error that begins with the pattern. */
type Fail = (why: string) => never

function parseStream(type: string, idText: string, fail: Fail): Pattern {
  const id = nameIn(idText, fail)
  if (type !== '*' && !isValid(() => parseAggregateType(type))) {
    return fail(
      `has the aggregate type ${quote(type)}: expected lower-case letters, digits and hyphens, starting with a letter, or * for every type`,
    )
  }
  // A prefix is the start of an id, so its end may not be one yet. The empty one matches every id.
  if (!(id.isPrefix && id.text === '') && !isValid(() => streamIdOf('any', id.text))) {
    return fail(`has a malformed stream id: expected 1 to 200 characters without white space`)
  }
  return type === '*' ? { kind: 'stream', id } : { kind: 'stream', type, id }
}

function parseNamed(text: string, colon: number, fail: Fail): Pattern {
  const kind = text.slice(0, colon)
  const name = nameIn(text.slice(colon + 1), fail)
  if (kind !== 'projection' && kind !== 'user') {
    return fail(`begins with an unknown kind${suggestion(kind, ['projection', 'user'])}`)
  }
  if (name.isPrefix && name.text === '') return { kind, name }
  if (kind === 'user') {
    if (isValid(() => parsePrincipalName(name.text, ''))) return { kind, name }
    return fail('has a malformed user name: expected 1 to 200 printable characters without white space')
  }
  if (projectionNamePattern.test(name.text)) return { kind, name }
  return fail(
    'has a malformed projection name: expected lower-case letters, digits and hyphens, starting with a letter',
  )
}

function nameIn(text: string, fail: Fail): NamePattern {
  const star = text.indexOf('*')
  if (star < 0) return { text, isPrefix: false }
  if (star === text.length - 1) return { text: text.slice(0, star), isPrefix: true }
  return fail('has * in the middle: expected it at the end only')
}

function isValid(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}
