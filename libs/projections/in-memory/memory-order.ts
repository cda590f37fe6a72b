import { hasExpired, type StoredViewPage, type ViewPageQuery } from '../view-store/views.ts'
import { type MemoryView, storedView } from './memory-view.ts'

/** The sort position of a view: by its figure, and among equal figures by its key. */
interface OrderPlace {
  readonly key: string
  readonly figure?: number
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff

/** Surrogates encode code points above all others, although their own code units are lower than some. */
const rank = (unit: number): number => (isSurrogate(unit) ? unit + 0x10000 : unit)

/** Compares by UTF-8 bytes. JavaScript compares strings by UTF-16 code units. */
export function byUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Subtraction could overflow. */
const byFigure = (a = 0, b = 0): number => Number(a > b) - Number(a < b)

const byPlace = (a: OrderPlace, b: OrderPlace): number => byFigure(a.figure, b.figure) || byUtf8(a.key, b.key)

/** One page of views in the requested order, without those that have expired at `nowMs`. */
export function pageOf(
  views: ReadonlyMap<string, MemoryView>,
  query: ViewPageQuery,
  nowMs: number,
): StoredViewPage {
  const { orderBy, descending, limit, cursor } = query
  const compare = descending ? (a: OrderPlace, b: OrderPlace) => byPlace(b, a) : byPlace
  const places: (OrderPlace & { readonly view: MemoryView })[] = []
  for (const [key, view] of views) {
    if (hasExpired(view, nowMs)) continue
    if (orderBy === undefined) {
      places.push({ key, view })
      continue
    }
    const figure = view.indexes.get(orderBy)
    if (figure !== undefined) places.push({ key, view, figure })
  }
  const rest = places
    .filter((place) => cursor === undefined || compare(place, cursor) > 0)
    .sort((a, b) => compare(a, b))
  const found = rest.slice(0, limit)
  const last = found.at(-1)
  return {
    views: found.map(({ view, ...place }) => ({ ...place, ...storedView(view) })),
    ...(rest.length > limit && last !== undefined && { next: cursorAt(last) }),
  }
}

const cursorAt = ({ key, figure }: OrderPlace): OrderPlace => ({
  key,
  ...(figure !== undefined && { figure }),
})
