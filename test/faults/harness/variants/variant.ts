/** A module of the product, and what its source is replaced by when it is loaded. */
export interface BrokenModule {
  /** Path of the module from the root of the repository. */
  readonly module: string
  /** Each `text` occurs in the module exactly once. */
  readonly replacements: readonly { readonly text: string; readonly by: string }[]
}

/** A deliberately broken product. */
export interface Variant {
  readonly name: string
  /** What is removed, and what must go wrong as a result. */
  readonly doc: string
  /** A seed of the fault harness that detects it within the time of the test. */
  readonly caughtBySeed: number
  readonly modules: readonly BrokenModule[]
}

/**
 * @param name of the variant
 * @throws Error naming the variant and the text, when the text does not occur exactly once: the variant would be void.
 */
export function brokenSource(name: string, { module, replacements }: BrokenModule, source: string): string {
  return replacements.reduce((before, { text, by }) => {
    const times = before.split(text).length - 1
    if (times === 1) return before.replace(text, () => by)
    throw new Error(
      `variant ${name}: expected this text once in ${module}, found it ${times} times; adapt the variant to the code:\n${text}`,
    )
  }, source)
}
