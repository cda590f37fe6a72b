/** What is compared. */
export const verifyParts = ['log', 'index', 'snapshots', 'projections', 'views'] as const
export type VerifyPart = (typeof verifyParts)[number]

/** Where something is wrong, as far as it has a place. */
export interface Where {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** Of the last record, where it is about several in a row. */
  readonly lastOffset?: number
  readonly streamId?: string
  readonly version?: number
  readonly projection?: string
  readonly generation?: string
  readonly key?: string
}

/** Something that is not as it must be. */
export interface Finding {
  readonly part: VerifyPart
  /** For programs, stable: `version-gap`. */
  readonly code: string
  /** What was found, and what it should be. */
  readonly message: string
  readonly where: Where
}

/** The findings of a verification as data. */
export interface FindingsSummary {
  /** The first ones. */
  readonly kept: readonly Finding[]
  readonly total: number
  readonly byPart: Readonly<Record<VerifyPart, number>>
}

/** Findings: the first ones are kept, all are counted. */
export class Findings {
  readonly #max: number
  readonly #kept: Finding[] = []
  readonly #counts = new Map<VerifyPart, number>()

  /** @param max how many are kept. */
  constructor(max: number) {
    this.#max = max
  }

  get kept(): readonly Finding[] {
    return this.#kept
  }

  get total(): number {
    return verifyParts.reduce((sum, part) => sum + this.of(part), 0)
  }

  summary(): FindingsSummary {
    return { kept: this.kept, total: this.total, byPart: this.#byPart() }
  }

  of(part: VerifyPart): number {
    return this.#counts.get(part) ?? 0
  }

  add(part: VerifyPart, code: string, message: string, where: Where): void {
    this.#counts.set(part, this.of(part) + 1)
    if (this.#kept.length < this.#max) this.#kept.push({ part, code, message, where })
  }

  #byPart(): Record<VerifyPart, number> {
    return {
      log: this.of('log'),
      index: this.of('index'),
      snapshots: this.of('snapshots'),
      projections: this.of('projections'),
      views: this.of('views'),
    }
  }
}
