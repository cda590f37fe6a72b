/** How many events of each type there were. */
export type CountsByType = Readonly<Record<string, number>>

/** The counts after one more event. A type may have the name of a property that every object inherits. */
export function countedByType(counts: CountsByType, type: string): CountsByType {
  const before = Object.hasOwn(counts, type) ? (counts[type] ?? 0) : 0
  return { ...counts, [type]: before + 1 }
}
