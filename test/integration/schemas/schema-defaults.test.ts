import { expect, test } from 'vitest'

import { SchemaError, SchemaRegistry } from '#schemas'
import { type DefaultCase, defaultCases } from '#schemas/testing'

import { testStack, uniqueName } from '../../support/stack/stack.ts'

const registry = new SchemaRegistry({ url: testStack().registryUrl })

/** Registers a record with this one field under its own subject. */
async function isTaken([type, byDefault]: DefaultCase): Promise<boolean> {
  const name = uniqueName('Event').replaceAll('-', '')
  const fields = [{ name: 'value', type, default: byDefault }]
  const text = JSON.stringify({ type: 'record', name, namespace: 'defaults', fields })
  try {
    await registry.register(`eventstore.defaults-defaults.${name}`, text)
    return true
  } catch (error) {
    if (error instanceof SchemaError && error.code === 'registry-refused') return false
    throw error
  }
}

test.each(defaultCases)('%j with the default %j: valid is %j, as in a real registry', async (...each) => {
  const [, byDefault, isSound] = each
  // The registry accepts Java's notation. Data here have a JSON form, and JSON has no NaN.
  expect(await isTaken(each)).toBe(isSound || byDefault === 'NaN')
})
