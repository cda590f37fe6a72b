/** The parts that a verification compares. */
const verifyParts = ['log', 'index', 'snapshots', 'projections', 'views'] as const
export type VerifyPart = (typeof verifyParts)[number]

/** The place of a finding, as far as it is known. */
export interface Where {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** The offset of the last record of a finding about several consecutive records. */
  readonly lastOffset?: number
  readonly streamId?: string
  readonly version?: number
  readonly projection?: string
  readonly generation?: string
  readonly key?: string
}

/** A difference that the verification found. */
export interface VerifyFinding {
  readonly part: VerifyPart
  /** Stable; for programs: `version-gap`. */
  readonly code: string
  /** What was found, and what was expected. */
  readonly message: string
  readonly where: Where
}

/** The findings of a verification as data. */
export interface FindingsSummary {
  /** The first findings. */
  readonly kept: readonly VerifyFinding[]
  readonly total: number
  readonly byPart: Readonly<Record<VerifyPart, number>>
}

/** Collects findings. The first ones are kept; all are counted. */
export class Findings {
  readonly #max: number
  readonly #kept: VerifyFinding[] = []
  readonly #counts = new Map<VerifyPart, number>()

  /** @param max the number of findings to keep. */
  constructor(max: number) {
    this.#max = max
  }

  get kept(): readonly VerifyFinding[] {
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
