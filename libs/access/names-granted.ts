import type { NamePattern } from './pattern.ts'
import type { Decision } from './rights.ts'

interface Prefix {
  readonly text: string
  readonly decision: Decision
}

/** Which names are granted: each by itself, by a prefix, or all of them. Holds the decision of each grant, ready to be returned. */
export class NamesGranted {
  readonly #exact = new Map<string, Decision>()
  readonly #byPrefix = new Map<string, Decision>()
  #all: Decision | undefined
  #first: Decision | undefined
  /** In code unit order. None of them starts with another one. Undefined until it is used. */
  #prefixes: readonly Prefix[] | undefined

  /** Of several grants of the same names, the first one stays. */
  add({ text, isPrefix }: NamePattern, decision: Decision): void {
    this.#first ??= decision
    if (isPrefix && text === '') {
      this.#all ??= decision
      return
    }
    const same = isPrefix ? this.#byPrefix : this.#exact
    if (!same.has(text)) same.set(text, decision)
    this.#prefixes = undefined
  }

  /** The grant of every name. */
  get all(): Decision | undefined {
    return this.#all
  }

  /** A grant of any name at all. */
  get first(): Decision | undefined {
    return this.#first
  }

  /** The grant of a name. */
  of(name: string): Decision | undefined {
    if (this.#all !== undefined) return this.#all
    const exact = this.#exact.size === 0 ? undefined : this.#exact.get(name)
    return exact ?? (this.#byPrefix.size === 0 ? undefined : this.#prefixOf(name))
  }

  /**
   * Because no prefix starts with another one, only the greatest that is not greater than the name can be its prefix:
   * all texts between a prefix and a name that starts with it also start with it.
   */
  #prefixOf(name: string): Decision | undefined {
    const prefixes = (this.#prefixes ??= shortest(this.#byPrefix))
    let [low, high] = [0, prefixes.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const prefix = prefixes[middle]
      if (prefix !== undefined && prefix.text <= name) low = middle + 1
      else high = middle
    }
    const nearest = prefixes[low - 1]
    return nearest !== undefined && name.startsWith(nearest.text) ? nearest.decision : undefined
  }
}

/** Without prefixes that start with another one: that one grants their names too. */
function shortest(prefixes: ReadonlyMap<string, Decision>): readonly Prefix[] {
  const kept: Prefix[] = []
  // In code unit order, a prefix comes directly before all that start with it.
  for (const [text, decision] of [...prefixes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const last = kept.at(-1)
    if (last === undefined || !text.startsWith(last.text)) kept.push({ text, decision })
  }
  return kept
}
