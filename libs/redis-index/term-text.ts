import type { Guard, IndexedTerm } from './index-entry.ts'

/** An owner's term, as {@link Guard} has it. */
export type GuardTerm = Pick<Guard, 'producerId' | 'epoch'>

/** The form in the guard and in errors. */
export const termText = ({ producerId, epoch }: GuardTerm): string => `${producerId}/${epoch}`

/** @returns undefined when the text is not a term. */
export function parseTerm(text: string): GuardTerm | undefined {
  const [, producerId, epoch] = /^(-?\d+)\/(\d+)$/.exec(text) ?? []
  return producerId === undefined ? undefined : { producerId: BigInt(producerId), epoch: Number(epoch) }
}

/** The form in the sorted set of terms: the offset, then the term. */
export const startText = (start: IndexedTerm): string => `${start.offset}/${termText(start)}`

/** @returns the term of a {@link startText}; undefined when the text is none. */
export const termOfStart = (text: string): GuardTerm | undefined =>
  parseTerm(text.slice(text.indexOf('/') + 1))
