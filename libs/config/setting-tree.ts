import { type TObject, type TSchema, TypeGuard } from '@sinclair/typebox'

import type { Setting } from './settings.ts'

/** A setting and the path of its value: `['kafka', 'ssl', 'enabled']`. */
export interface PlacedSetting {
  readonly path: readonly string[]
  readonly setting: Setting
}

const isSetting = (schema: TSchema): schema is Setting => 'env' in schema

/** All settings of a group and of its subgroups, in order. */
export const settingsOf = (group: TObject, path: readonly string[] = []): PlacedSetting[] =>
  Object.entries(group.properties).flatMap(([name, schema]) => {
    const at = [...path, name]
    if (isSetting(schema)) return [{ path: at, setting: schema }]
    if (TypeGuard.IsObject(schema)) return settingsOf(schema, at)
    throw new TypeError(`${at.join('.')} is neither a setting nor a group of settings`)
  })

interface Tree {
  [name: string]: unknown
}

/** Sets the value at a path and creates the groups on the way. An undefined value is left out. */
export function place(tree: Tree, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) place((tree[name] ??= {}) as Tree, rest, value)
  else if (value !== undefined) tree[name] = value
}

export const valueAt = (tree: object, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (at as Tree)[name], tree)
