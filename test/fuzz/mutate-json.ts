import fc from 'fast-check'

import { nastyJson } from './nasty.ts'

export type Mutation<Value> = (value: Value) => Value

/**
 * One change somewhere inside a JSON value: a part is replaced by a nasty value, removed, duplicated, or an unexpected
 * part is added.
 */
export const jsonMutation: fc.Arbitrary<Mutation<unknown>> = fc
  .record({
    at: fc.nat(),
    change: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'double'),
    value: nastyJson,
    name: fc.constantFrom('extra', '__proto__x', 'toString', '', 'id', '\ud800'),
  })
  .map(({ at, change, value, name }) => (whole) => {
    const copy = structuredClone(whole)
    const places = placesIn(copy)
    const place = places[at % Math.max(1, places.length)]
    if (place === undefined) return value
    const { holder, key } = place
    if (change === 'replace') Reflect.set(holder, key, value)
    else if (change === 'add') Reflect.set(holder, Array.isArray(holder) ? holder.length : name, value)
    else if (change === 'double' && Array.isArray(holder)) holder.push(holder[Number(key)])
    else if (Array.isArray(holder)) holder.splice(Number(key), 1)
    else Reflect.deleteProperty(holder, key)
    return copy
  })

interface Place {
  readonly holder: object
  readonly key: string
}

const placesIn = (value: unknown): Place[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, part]) => [{ holder: value, key }, ...placesIn(part)])
    : []
