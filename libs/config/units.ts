/** Milliseconds of each unit of time, smallest first. */
export const timeUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Bytes of each unit of size, smallest first. KB and MB are ambiguous, so they are not accepted. */
export const sizeUnits = { B: 1, KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3 } as const

type Units = Readonly<Record<string, number>>

/** A quantity, or in words why the text is not one. */
export type Quantity = { readonly value: number } | { readonly problem: string }

/** Parses a whole number followed by its unit: `500ms`, `1MiB`. */
export function parseQuantity(text: string, units: Units): Quantity {
  const [, digits, unit = ''] = /^(\d+) ?([a-z]*)$/i.exec(text) ?? []
  if (digits === undefined) return { problem: 'it is not a whole number with a unit' }
  if (unit === '') return { problem: 'it has no unit' }
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  if (factor === undefined) return { problem: `its unit ${unit} is none of ${Object.keys(units).join(', ')}` }
  return { value: Number(digits) * factor }
}

/** The quantity in the largest unit that needs no fraction: 90,000 milliseconds are `90s`. */
export function formatQuantity(value: number, units: Units): string {
  const fitting = Object.entries(units).filter(([, factor]) => value % factor === 0)
  const [unit, factor] = (value === 0 ? fitting[0] : fitting.at(-1)) ?? ['', 1]
  return `${value / factor}${unit}`
}
