/**
 * The three functions of the Reflect metadata proposal that tsyringe, which @peculiar/x509 loads, asks for at its start. Import it
 * before @peculiar/x509.
 */
const metadata = new WeakMap<object, Map<unknown, unknown>>()

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const known = metadata.get(target) ?? new Map<unknown, unknown>()
  metadata.set(target, known.set(key, value))
}

const getOwnMetadata = (key: unknown, target: object): unknown => metadata.get(target)?.get(key)

if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, { defineMetadata, getOwnMetadata, getMetadata: getOwnMetadata })
}
