import { distance } from 'fastest-levenshtein'

import { quote } from './invalid-input.ts'

const namesMax = 3

/** The names that a mistyped one may mean, nearest first; none where none is near. Upper and lower case count as alike. */
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
 * The end of a sentence about a name that is unknown: `; did you mean PurchaseMade?`, or what there is instead.
 * @param known all names that there are.
 */
export function instead(name: string, known: readonly string[]): string {
  const nearest = nearestNames(name.slice(0, nameLengthMax), known)
  if (nearest.length > 0) return `; did you mean ${nearest.join(' or ')}?`
  return `: there ${known.length === 1 ? 'is' : 'are'} ${listed(known)}`
}

/** A sentence of its own behind one that lists what there is: ` Did you mean PurchaseMade?`; empty where no name is near. */
export function meant(name: string, known: readonly string[]): string {
  const nearest = nearestNames(name.slice(0, nameLengthMax), known)
  return nearest.length === 0 ? '' : ` Did you mean ${nearest.join(' or ')}?`
}

/** Longer ones are no slip of the fingers, and distances take time. */
const nameLengthMax = 200
const listedMax = 20

function listed(known: readonly string[]): string {
  if (known.length === 0) return 'none'
  const more = known.length - listedMax
  return `${known.slice(0, listedMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** The first of these names that is not known, in a sentence; undefined where all are. @param what they are, e.g. `event type` */
export function unknownName(
  what: string,
  names: readonly string[],
  known: readonly string[],
): string | undefined {
  const unknown = names.find((name) => !known.includes(name))
  return unknown === undefined ? undefined : `there is no ${what} ${quote(unknown)}${instead(unknown, known)}`
}
