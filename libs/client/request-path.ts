import { InvalidInputError, quote } from '#domain'

/** The URL of a server. @throws InvalidInputError when it is malformed. */
export function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new InvalidInputError('url', `url ${quote(text)} is malformed: expected e.g. http://127.0.0.1:7400`)
}

/** A part of a path. Half a surrogate pair, which no URL can hold, becomes a replacement character, as in a query: there is no such thing there. */
export const pathPart = (text: string): string => encodeURIComponent(text.toWellFormed())

type Parameter = string | number | boolean | readonly string[] | undefined

/** With its question mark; empty where nothing is defined. A list is a parameter that stands there more than once. */
export function queryString(parameters: object): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters) as [string, Parameter][]) {
    if (value === undefined) continue
    for (const one of [value].flat()) search.append(name, String(one))
  }
  return search.size === 0 ? '' : `?${search.toString()}`
}
