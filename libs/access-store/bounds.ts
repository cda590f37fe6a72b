/** Bounds of a store of access. */
export const accessBounds = {
  /** Roles, keys and certificates together. */
  entries: 100_000,
  /** As `parseAccessDocument` has them. */
  each: { role: 1_000, key: 100_000, certificate: 10_000 },
  /** The JSON of one entry. */
  entryBytes: 65_536,
  /** The whole file. */
  fileBytes: 64 * 1_024 ** 2,
  /** Problems that a state lists. */
  problems: 100,
} as const
