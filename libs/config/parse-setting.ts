import { Value } from '@sinclair/typebox/value'

import type { Setting } from './settings.ts'
import { formatQuantity, parseQuantity, type Quantity, sizeUnits, timeUnits } from './units.ts'

/** A valid value, or what is wrong and what is expected. */
type ParsedSetting = { readonly value: unknown } | { readonly problem: string }

/** Reads a setting from its text. */
export function parseSetting(setting: Setting, given: string): ParsedSetting {
  const parsed = convert(setting, given.trim())
  if ('problem' in parsed) return { problem: `${parsed.problem}: expected ${expectation(setting)}` }
  if (Value.Check(setting, parsed.value)) return parsed
  return { problem: `expected ${expectation(setting)}` }
}

function convert(setting: Setting, given: string): ParsedSetting | Quantity {
  switch (setting.kind) {
    case 'text':
    case 'choice':
      return { value: given }
    case 'url':
      return parseUrl(given, setting.protocols ?? [])
    case 'list':
      return { value: given.split(',').map((item) => item.trim()) }
    case 'flag':
      return { value: given === 'true' ? true : given === 'false' ? false : given }
    case 'count':
      return { value: /^\d+$/.test(given) ? Number(given) : given }
    case 'duration':
      return parseQuantity(given, timeUnits)
    case 'size':
      return parseQuantity(given, sizeUnits)
  }
}

function parseUrl(given: string, protocols: readonly string[]): ParsedSetting {
  const protocol = URL.parse(given)?.protocol
  if (protocol === undefined) return { problem: 'it is not a URL' }
  if (!protocols.includes(protocol)) return { problem: `its protocol is ${protocol}` }
  return { value: given }
}

/** What a setting accepts, in words: `a whole number from 1 to 65535`. */
export function expectation(setting: Setting): string {
  const { kind, form, choices = [], protocols = [] } = setting
  switch (kind) {
    case 'text':
      return form ?? 'text'
    case 'url':
      return `a URL that begins with ${protocols.map((it) => `${it}//`).join(' or ')}`
    case 'list':
      return form ?? 'values separated by commas'
    case 'choice':
      return `one of ${choices.join(', ')}`
    case 'flag':
      return 'true or false'
    case 'count':
      return `a whole number${bounds(setting, String)}`
    case 'duration':
      return `a duration like 500ms, 5s, 2m or 1h${bounds(setting, (ms) => formatQuantity(ms, timeUnits))}`
    case 'size':
      return `a size like 512KiB or 1MiB${bounds(setting, (bytes) => formatQuantity(bytes, sizeUnits))}`
  }
}

function bounds(setting: Setting, format: (value: number) => string): string {
  const { minimum, maximum } = setting as { minimum?: number; maximum?: number }
  const from =
    minimum === undefined || (minimum === 1 && setting.kind !== 'count') ? '' : ` from ${format(minimum)}`
  return maximum === undefined ? from : `${from} to ${format(maximum)}`
}

/** The value as text that parses to the same value. */
export function formatSetting(setting: Setting, value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'number' && setting.kind === 'duration') return formatQuantity(value, timeUnits)
  if (typeof value === 'number' && setting.kind === 'size') return formatQuantity(value, sizeUnits)
  return String(value)
}
