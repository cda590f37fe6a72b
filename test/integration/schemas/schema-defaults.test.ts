import { expect, test } from 'vitest'

import { SchemaError, SchemaRegistry } from '#schemas'
import { type DefaultCase, defaultCases } from '#schemas/testing'

import { testStack, uniqueName } from '../../support/stack/stack.ts'

const registry = new SchemaRegistry({ url: testStack().registryUrl })

/** Registers a record with this one field under a subject of its own. */
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

test.each(defaultCases)('%j with the default %j: sound is %j, as for a real registry', async (...each) => {
  const [, byDefault, isSound] = each
  // The registry takes it for Java's way to write it. Data have a JSON form here, and JSON has no NaN.
  expect(await isTaken(each)).toBe(isSound || byDefault === 'NaN')
})
