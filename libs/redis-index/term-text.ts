import type { Guard, TermStart } from './index-entry.ts'

/** An owner's term, as {@link Guard} has it. */
export type Term = Pick<Guard, 'producerId' | 'epoch'>

/** As the guard holds it, and as errors name it. */
export const termText = ({ producerId, epoch }: Term): string => `${producerId}/${epoch}`

/** @returns undefined for what is no term. */
export function parseTerm(text: string): Term | undefined {
  const [, producerId, epoch] = /^(-?\d+)\/(\d+)$/.exec(text) ?? []
  return producerId === undefined ? undefined : { producerId: BigInt(producerId), epoch: Number(epoch) }
}

/** As the sorted set of terms holds it: its offset, then the term. */
export const startText = (start: TermStart): string => `${start.offset}/${termText(start)}`

/** @returns the term of a {@link startText}; undefined for what is none. */
export const termOfStart = (text: string): Term | undefined => parseTerm(text.slice(text.indexOf('/') + 1))
