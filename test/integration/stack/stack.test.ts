import { expect, test } from 'vitest'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

test('the registry of the test stack stores a schema and returns it', async () => {
  const { registryUrl } = testStack()
  const subject = uniqueName('stack-test')
  const schema = JSON.stringify({ type: 'record', name: 'Probe', fields: [{ name: 'id', type: 'string' }] })
  const registered = await fetch(`${registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  })
  expect(registered.status).toBe(200)
  const { id } = (await registered.json()) as { id: number }
  const found = await fetch(`${registryUrl}/schemas/ids/${id}`)
  expect(JSON.parse(((await found.json()) as { schema: string }).schema)).toEqual(JSON.parse(schema))
})

test('waitFor returns the result of the probe, or fails with the name of what it waited for', async () => {
  let asked = 0
  const found = await waitFor('the third answer', () => Promise.resolve(++asked === 3 && 'third'))
  expect(found).toBe('third')
  const never = waitFor('the moon', () => Promise.resolve(undefined), { timeoutMs: 100 })
  await expect(never).rejects.toThrow('the moon: not within 0.1 s')
})
