import { ObservedText } from './observed-text.ts'

/** Members that are tracked by name, far more than a record has. Further ones are tracked together. */
const membersMax = 1_000

/** The values of all samples at one place of their data. */
export class Observed {
  /** Values, including null. */
  count = 0
  nulls = 0
  booleans = 0
  numbers = 0
  /** The narrowest type that fits all numbers so far. */
  numberType: 'int' | 'long' | 'double' = 'int'
  lists = 0
  objects = 0
  readonly text = new ObservedText()
  readonly members = new Map<string, Observed>()
  #items: Observed | undefined
  #furtherMembers: Observed | undefined

  /** The items of all lists; nothing if all are empty. */
  get items(): Observed {
    this.#items ??= new Observed()
    return this.#items
  }

  /** Whether there are more members than {@link members} tracks by name. */
  get hasFurtherMembers(): boolean {
    return this.#furtherMembers !== undefined
  }

  /** The values of all members, merged as if they were at one place. */
  get values(): Observed {
    const all = new Observed()
    for (const member of this.members.values()) all.addAll(member)
    if (this.#furtherMembers !== undefined) all.addAll(this.#furtherMembers)
    return all
  }

  /** @param value JSON */
  add(value: unknown): void {
    this.count++
    if (value === null) this.nulls++
    else if (typeof value === 'boolean') this.booleans++
    else if (typeof value === 'number') this.#addNumber(value)
    else if (typeof value === 'string') this.text.add(value)
    else if (Array.isArray(value)) this.#addList(value)
    else this.#addObject(value as object)
  }

  addAll(other: Observed): void {
    this.count += other.count
    this.nulls += other.nulls
    this.booleans += other.booleans
    this.numbers += other.numbers
    this.lists += other.lists
    this.objects += other.objects
    this.numberType = wider(this.numberType, other.numberType)
    this.text.addAll(other.text)
    if (other.#items !== undefined) this.items.addAll(other.#items)
    for (const [name, member] of other.members) this.#member(name).addAll(member)
    if (other.#furtherMembers !== undefined) this.#further().addAll(other.#furtherMembers)
  }

  #addNumber(value: number): void {
    this.numbers++
    this.numberType = wider(this.numberType, typeOfNumber(value))
  }

  #addList(values: readonly unknown[]): void {
    this.lists++
    for (const value of values) this.items.add(value)
  }

  #addObject(value: object): void {
    this.objects++
    for (const [name, member] of Object.entries(value)) this.#member(name).add(member)
  }

  #member(name: string): Observed {
    const known = this.members.get(name)
    if (known !== undefined) return known
    if (this.members.size >= membersMax) return this.#further()
    const fresh = new Observed()
    this.members.set(name, fresh)
    return fresh
  }

  #further(): Observed {
    this.#furtherMembers ??= new Observed()
    return this.#furtherMembers
  }
}

const widths = ['int', 'long', 'double'] as const

const wider = (a: Observed['numberType'], b: Observed['numberType']): Observed['numberType'] =>
  widths[Math.max(widths.indexOf(a), widths.indexOf(b))] ?? 'double'

function typeOfNumber(value: number): Observed['numberType'] {
  if (value === (value | 0)) return 'int'
  return Number.isSafeInteger(value) ? 'long' : 'double'
}
