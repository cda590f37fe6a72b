import type { Observed } from './observed.ts'
import type { ObservedText } from './observed-text.ts'

/** What was inferred for one place in the data. */
export interface ProposedField {
  /** `items[].price` */
  readonly path: string
  /** In readable form: `decimal(12, 2)`, `list of string`. */
  readonly type: string
  readonly isNullable: boolean
  /** Number of values seen. */
  readonly values: number
  /** How often the field was null or missing. */
  readonly nulls: number
  readonly absent: number
  /** A possible mistake: `no value in any sample`. */
  readonly remark?: string
}

export interface Proposal {
  /** Avro, as JSON. */
  readonly schema: Readonly<Record<string, unknown>>
  /** In the order of the data; the parts of a field follow it. */
  readonly fields: readonly ProposedField[]
}

/** Objects with more distinct names than this are maps. */
const fieldsMax = 60
/** Symbols of an enum repeat at least this often on average. */
const timesPerSymbolMin = 10
/** Room for larger numbers than the samples have. */
const spareDigits = 4
const namePattern = /^[A-Za-z_]\w*$/

type Avro = string | object | readonly unknown[]

/** A type and its readable form. */
interface Guess {
  readonly avro: Avro
  readonly text: string
  readonly remark?: string
}

/**
 * Proposes a schema that accepts every sample: the narrowest types that fit, enums where few texts repeat often,
 * `null` where a field is null or missing. Samples do not show everything, so a person must review it.
 * @param name of the event type
 * @param data of its events
 */
export function proposeSchema(aggregateType: string, name: string, data: Observed): Proposal {
  const proposer = new Proposer(name)
  const fields = proposer.fieldsOf(data, name, '')
  const namespace = aggregateType.replaceAll(/\W/g, '_')
  return { schema: { type: 'record', name, namespace, fields }, fields: proposer.proposed }
}

class Proposer {
  readonly proposed: ProposedField[] = []
  readonly #names: Set<string>

  constructor(recordName: string) {
    this.#names = new Set([recordName])
  }

  fieldsOf(data: Observed, owner: string, path: string): object[] {
    return [...data.members].map(([name, member]) => {
      const place = path === '' ? name : `${path}.${name}`
      const absent = data.objects - member.count
      const isNullable = absent > 0 || member.nulls > 0
      const at = this.proposed.length
      const guess = this.#guess(member, `${owner}${pascal(name)}`, place)
      const { count, nulls } = member
      const proposed = { path: place, type: guess.text, isNullable, values: count, nulls, absent }
      const field = { ...proposed, ...(guess.remark !== undefined && { remark: guess.remark }) }
      this.proposed.splice(at, 0, field)
      return isNullable
        ? { name, type: ['null', ...[guess.avro].flat()], default: null }
        : { name, type: guess.avro }
    })
  }

  #guess(data: Observed, name: string, path: string): Guess {
    const guesses = this.#guesses(data, name, path)
    const [first, ...others] = guesses
    if (first === undefined) return { avro: 'string', text: 'string', remark: 'no value in any sample' }
    if (others.length === 0) return first
    const text = guesses.map((guess) => guess.text).join(' or ')
    return { avro: guesses.flatMap(({ avro }) => avro), text, remark: 'of several types' }
  }

  /** One guess for each kind of value. */
  #guesses(data: Observed, name: string, path: string): Guess[] {
    const { booleans, numbers, numberType, text, lists, objects } = data
    const isLong = numbers > 0 && numberType !== 'double' && text.count > 0 && text.forms.has('long')
    const isAlone = booleans + numbers + lists + objects === 0
    const guesses: Guess[] = []
    if (booleans > 0) guesses.push(plain('boolean'))
    if (isLong) guesses.push(plain('long'))
    else if (numbers > 0) guesses.push(numberGuess(numberType))
    if (text.count > 0 && !isLong) guesses.push(isAlone ? this.#textGuess(text, name) : plain('string'))
    if (lists > 0) guesses.push(this.#listGuess(data.items, name, path))
    if (objects > 0) guesses.push(this.#objectGuess(data, name, path))
    return guesses
  }

  #textGuess(text: ObservedText, name: string): Guess {
    const { decimal, forms, distinct = [] } = text
    if (forms.has('date')) return logical('int', 'date')
    if (forms.has('timestamp-millis')) return logical('long', 'timestamp-millis')
    if (forms.has('timestamp-micros')) return logical('long', 'timestamp-micros')
    if (forms.has('uuid')) return logical('string', 'uuid')
    if (forms.has('long')) return plain('long')
    if (decimal !== undefined) return decimalGuess(decimal)
    const isEnum = distinct.length > 0 && distinct.every(isName)
    if (!isEnum || text.count < distinct.length * timesPerSymbolMin) return plain('string')
    const avro = { type: 'enum', name: this.#unique(name), symbols: distinct }
    return {
      avro,
      text: `enum of ${distinct.join(', ')}`,
      remark: 'a text that is none of these is rejected',
    }
  }

  #listGuess(items: Observed, name: string, path: string): Guess {
    const guess = this.#guess(items, `${name}Item`, `${path}[]`)
    const of = items.nulls > 0 ? nullable(guess) : guess
    const { remark } = guess
    return {
      avro: { type: 'array', items: of.avro },
      text: `list of ${of.text}`,
      ...(remark !== undefined && { remark: `items: ${remark}` }),
    }
  }

  #objectGuess(data: Observed, name: string, path: string): Guess {
    const names = [...data.members.keys()]
    if (names.length > fieldsMax || !names.every(isName)) return this.#mapGuess(data.values, name, path)
    const record = this.#unique(name)
    return {
      avro: { type: 'record', name: record, fields: this.fieldsOf(data, record, path) },
      text: 'record',
    }
  }

  #mapGuess(values: Observed, name: string, path: string): Guess {
    const guess = this.#guess(values, `${name}Value`, `${path}{}`)
    const of = values.nulls > 0 ? nullable(guess) : guess
    return { avro: { type: 'map', values: of.avro }, text: `map of ${of.text}` }
  }

  #unique(wish: string): string {
    let name = wish
    for (let n = 2; this.#names.has(name); n++) name = `${wish}${n}`
    this.#names.add(name)
    return name
  }
}

/** A name that Avro accepts and that is not a member of every object. */
const isName = (name: string): boolean => namePattern.test(name) && !(name in Object.prototype)

const pascal = (name: string): string =>
  name.replaceAll(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9]?)/g, (_, first: string) => first.toUpperCase())

const plain = (type: string): Guess => ({ avro: type, text: type })
const logical = (type: string, logicalType: string): Guess => ({
  avro: { type, logicalType },
  text: logicalType,
})
const nullable = ({ avro, text }: Guess): Guess => ({
  avro: ['null', ...[avro].flat()],
  text: `${text} or null`,
})

const numberGuess = (type: Observed['numberType']): Guess =>
  type === 'double'
    ? { ...plain('double'), remark: 'store amounts of money as a decimal, in strings such as "12.50"' }
    : plain(type)

function decimalGuess({ whole, scale }: { readonly whole: number; readonly scale: number }): Guess {
  const precision = whole + scale + spareDigits
  return {
    avro: { type: 'bytes', logicalType: 'decimal', precision, scale },
    text: `decimal(${precision}, ${scale})`,
  }
}
