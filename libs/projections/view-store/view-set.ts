/** What a store knows of a projection. A `Projection` of libs/domain is one. */
export interface StoredProjection {
  readonly name: string
  readonly indexNames: readonly string[]
}

/** The views of one generation. */
export interface ViewSet {
  readonly projection: StoredProjection
  readonly generation: string
}
