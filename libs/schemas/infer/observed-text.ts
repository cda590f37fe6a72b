import { parseDate, parseMicros, parseMillis } from '#calendar'

import { isLongText, isUuid } from '../scalar-mapping.ts'

/** Distinct texts that are remembered. With more of them the field is not an enum. */
const distinctMax = 16
/** A canonical decimal; zero has no sign. */
const decimalPattern = /^(?!-[0.]+$)-?(?:0|[1-9]\d*)\.(\d+)$/

/** Forms of text, each with its test. */
const forms = {
  date: (text: string) => parseDate(text) !== undefined,
  'timestamp-millis': (text: string) => parseMillis(text) !== undefined,
  'timestamp-micros': (text: string) => parseMicros(text) !== undefined,
  uuid: isUuid,
  long: isLongText,
} as const
type TextForm = keyof typeof forms

/** What all texts at one place have in common. */
export class ObservedText {
  count = 0
  /** Digits before and after the point if all texts are decimals of one scale; otherwise undefined. */
  decimal: { readonly whole: number; readonly scale: number } | undefined
  /** Forms that all texts have. */
  readonly forms = new Set(Object.keys(forms) as TextForm[])
  #distinct = new Set<string>()

  /** The distinct texts; undefined if there are too many. */
  get distinct(): readonly string[] | undefined {
    return this.#distinct.size > distinctMax ? undefined : [...this.#distinct].sort()
  }

  add(text: string): void {
    this.decimal = this.#decimalWith(decimalOf(text))
    this.count++
    for (const form of this.forms) if (!forms[form](text)) this.forms.delete(form)
    this.#remember(text)
  }

  addAll(other: ObservedText): void {
    if (other.count === 0) return
    this.decimal = this.#decimalWith(other.decimal)
    this.count += other.count
    for (const form of this.forms) if (!other.forms.has(form)) this.forms.delete(form)
    for (const text of other.#distinct) this.#remember(text)
  }

  #remember(text: string): void {
    if (this.#distinct.size <= distinctMax) this.#distinct.add(text)
  }

  #decimalWith(next: ObservedText['decimal']): ObservedText['decimal'] {
    if (this.count === 0) return next
    if (next === undefined || this.decimal?.scale !== next.scale) return undefined
    return { whole: Math.max(this.decimal.whole, next.whole), scale: next.scale }
  }
}

function decimalOf(text: string): ObservedText['decimal'] {
  const scale = decimalPattern.exec(text)?.[1]?.length
  if (scale === undefined) return undefined
  return { whole: text.replace('-', '').length - scale - 1, scale }
}
