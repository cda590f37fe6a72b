import { distance } from 'fastest-levenshtein'

import { quote } from './invalid-input.ts'

const namesMax = 3

/** Known names similar to a mistyped one, nearest first; empty when none is similar. Case is ignored. */
export function nearestNames(name: string, known: readonly string[]): readonly string[] {
  const apartMax = Math.max(1, Math.floor(name.length / 3))
  return known
    .map((each) => ({ each, apart: distance(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ apart }) => apart <= apartMax)
    .toSorted((a, b) => a.apart - b.apart)
    .slice(0, namesMax)
    .map(({ each }) => each)
}

/**
 * Ends an error message about an unknown name: `; did you mean PurchaseMade?`, or the list of known names.
 * @param known all valid names.
 */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestNames(name.slice(0, nameLengthMax), known)
  if (nearest.length > 0) return `; did you mean ${nearest.join(' or ')}?`
  return known.length === 0
    ? ': there are none'
    : `: expected ${known.length === 1 ? '' : 'one of '}${listed(known)}`
}

/** A separate sentence after a list of known names: ` Did you mean PurchaseMade?`; empty when no name is similar. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = nearestNames(name.slice(0, nameLengthMax), known)
  return nearest.length === 0 ? '' : ` Did you mean ${nearest.join(' or ')}?`
}

/** Longer names are not typing errors, and computing their distances takes time. */
const nameLengthMax = 200
const listedMax = 20

function listed(known: readonly string[]): string {
  const more = known.length - listedMax
  return `${known.slice(0, listedMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** An error message about the first unknown name; undefined when all names are known. @param what the kind of name, e.g. `event type` */
export function unknownName(
  what: string,
  names: readonly string[],
  known: readonly string[],
): string | undefined {
  const unknown = names.find((name) => !known.includes(name))
  return unknown === undefined
    ? undefined
    : `there is no ${what} ${quote(unknown)}${suggestion(unknown, known)}`
}
