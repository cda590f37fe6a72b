import type { GenerationState, GenerationStatus, NewGeneration, Stop } from '#projections'

/** One generation as generationsScript returns it. */
export type GenerationReply = readonly [
  id: Buffer,
  status: Buffer,
  definition: Buffer,
  checkpoints: readonly Buffer[],
  stops: readonly Buffer[],
  views: number,
  parked: number,
  unpublished: number,
]

export function decodeGeneration(reply: GenerationReply): GenerationState {
  const [, status, definition, checkpoints, stops, views, parked, unpublished] = reply
  return {
    ...(JSON.parse(String(definition)) as NewGeneration),
    status: String(status) as GenerationStatus,
    checkpoints: new Map(inPairs(checkpoints).map(([source, offset]) => [String(source), Number(offset)])),
    stops: new Map(
      inPairs(stops).map(([source, stop]) => [String(source), JSON.parse(String(stop)) as Stop]),
    ),
    views,
    parked,
    unpublished,
  }
}

/** Redis returns names and values alternately. */
export function inPairs(flat: readonly Buffer[]): (readonly [Buffer, Buffer])[] {
  return flat.flatMap((name, index) => {
    const value = flat[index + 1]
    return index % 2 === 0 && value !== undefined ? [[name, value] as const] : []
  })
}
