import { InvalidInputError, quote } from '#domain'

/** Parses the URL of a server. @throws InvalidInputError when it is malformed. */
export function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new InvalidInputError('url', `url ${quote(text)} is malformed: expected e.g. http://127.0.0.1:7400`)
}

/** Encodes a segment of a path. A lone surrogate, which a URL cannot contain, becomes a replacement character, as in a query. */
export const pathPart = (text: string): string => encodeURIComponent(text.toWellFormed())

type Parameter = string | number | boolean | readonly string[] | undefined

/** A query string with its question mark; empty when no parameter is defined. A list becomes a repeated parameter. */
export function queryString(parameters: object): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters) as [string, Parameter][]) {
    if (value === undefined) continue
    for (const item of [value].flat()) search.append(name, String(item))
  }
  return search.size === 0 ? '' : `?${search.toString()}`
}
