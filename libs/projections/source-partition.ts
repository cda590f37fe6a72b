/** One partition of a topic that projections are made from. */
export interface SourcePartition {
  readonly topic: string
  readonly partition: number
}

/** `topic:partition`, for maps and stores. */
export const sourceKey = ({ topic, partition }: SourcePartition): string => `${topic}:${partition}`

/** The reverse of {@link sourceKey}. */
export function sourceOf(key: string): SourcePartition {
  const colon = key.lastIndexOf(':')
  return { topic: key.slice(0, colon), partition: Number(key.slice(colon + 1)) }
}
