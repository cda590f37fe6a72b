import { type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'

type SettingKind = 'text' | 'url' | 'list' | 'choice' | 'flag' | 'count' | 'duration' | 'size'

/** What a setting has besides the type of its value. */
interface SettingNotes {
  /** The environment variable of the setting. */
  readonly env: string
  readonly kind: SettingKind
  readonly description: string
  /** What is expected, in words, where the kind does not say it. */
  readonly form?: string
  /** The documented default where it depends on other settings. */
  readonly defaultText?: string
  /** Never shown, neither in errors nor in logs. */
  readonly secret?: boolean
  readonly choices?: readonly string[]
  /** The allowed protocols of a URL, with the colon: `https:`. */
  readonly protocols?: readonly string[]
}

export type Setting<Schema extends TSchema = TSchema> = Schema & SettingNotes

interface Notes<Value> extends Pick<SettingNotes, 'env' | 'description' | 'form' | 'defaultText' | 'secret'> {
  readonly default?: Value
}
interface Bounds {
  readonly minimum?: number
  readonly maximum?: number
}

const noted = <Schema extends TSchema>(
  schema: Schema,
  kind: SettingKind,
  notes: Omit<SettingNotes, 'kind'> & { readonly default?: unknown },
): Setting<Schema> => Object.assign(schema, { ...notes, kind })

/** @param pattern a regular expression that the value must match. */
export const text = (notes: Notes<string>, pattern = '.') => noted(Type.String({ pattern }), 'text', notes)

export const url = (notes: Notes<string> & { readonly protocols: readonly string[] }) =>
  noted(Type.String(), 'url', notes)

/** Values separated by commas. @param itemPattern a regular expression that each value must match. */
export const list = (notes: Notes<readonly string[]>, itemPattern = '.', minItems = 0) =>
  noted(Type.Array(Type.String({ pattern: itemPattern }), { minItems, uniqueItems: true }), 'list', notes)

export const choice = <const Choice extends string>(choices: readonly Choice[], notes: Notes<Choice>) =>
  noted(Type.Unsafe<Choice>(Type.Union(choices.map((it) => Type.Literal(it)))), 'choice', {
    ...notes,
    choices,
  })

export const flag = (notes: Notes<boolean>) => noted(Type.Boolean(), 'flag', notes)

export const count = (notes: Notes<number> & Bounds) => noted(Type.Integer({ minimum: 1 }), 'count', notes)

/** In milliseconds; the text has a unit. */
export const duration = (notes: Notes<number> & Bounds) =>
  noted(Type.Integer({ minimum: 1 }), 'duration', notes)

/** In bytes; the text has a unit. */
export const size = (notes: Notes<number> & Bounds) => noted(Type.Integer({ minimum: 1 }), 'size', notes)

export const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(schema)

/** Settings that belong together. The title and the description appear in the documentation. */
export const group = <Properties extends TProperties>(
  title: string,
  description: string,
  properties: Properties,
): TObject<Properties> => Type.Object(properties, { title, description })
