/** `{aggregateType}.{aggregateId}`: the type ends at the first dot. */
export const aggregateTypeOf = (streamId: string): string => streamId.slice(0, streamId.indexOf('.'))

export const aggregateIdOf = (streamId: string): string => streamId.slice(streamId.indexOf('.') + 1)
