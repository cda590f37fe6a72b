import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { SchemaRegistry as RegistryClient, SchemaType } from '@kafkajs/confluent-schema-registry'

import { createUpcasterChain } from '#domain'
import { EventCodec, loadCatalog, SchemaCatalog, SchemaRegistry } from '#schemas'

import { type Bench, perSecond } from './measure.ts'

interface Rates {
  readonly encodePerSecond: number
  readonly decodePerSecond: number
}

interface CodecResult {
  readonly schema: string
  /** To and from the JSON form: date and amount as strings, every field checked. */
  readonly annals: Rates
  /** \@kafkajs/confluent-schema-registry: no logical types (a number and bytes instead), unknown fields pass. */
  readonly registryClient: Rates & {
    /** With an explicit reader schema, which events of older versions need: it creates a resolver per message. */
    readonly decodeAsPerSecond: number
  }
}

const purchase = { date: '1997-01-12', cds: 3, amount: '35.99' }
/** The same event for Avro without logical types. */
const rawPurchase = { date: 9873, cds: 3, amount: Buffer.from([0x0e, 0x0f]) }
const schemaId = 7

/** A stand-in for the registry with the two routes that are used: one schema, and its id. */
async function startRegistry(text: string): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ id: schemaId, schema: text }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

async function run(say: (line: string) => void): Promise<CodecResult> {
  const catalog = new SchemaCatalog(loadCatalog(['schemas']).versions('customer', 'PurchaseMade'))
  const schema = catalog.latest('customer', 'PurchaseMade')
  if (schema === undefined) throw new Error('schemas/customer/PurchaseMade.v1.avsc is missing')
  const { url, server } = await startRegistry(schema.text)
  try {
    const codec = new EventCodec({
      catalog,
      registry: new SchemaRegistry({ url }),
      upcasters: createUpcasterChain([]),
    })
    await codec.prepare()
    say('measuring: five rounds of 200,000 each …')
    return await measure(codec, new RegistryClient({ host: url }), schema.text)
  } finally {
    server.close()
  }
}

async function measure(codec: EventCodec, client: RegistryClient, text: string): Promise<CodecResult> {
  const bytes = codec.encode('customer', 'PurchaseMade', purchase)
  const asReader = { [SchemaType.AVRO]: { readerSchema: JSON.parse(text) as never } }
  const often = { rounds: 5, count: 200_000 }
  const rates = await perSecond(
    {
      encode: (count) => repeat(count, () => codec.encode('customer', 'PurchaseMade', purchase)),
      decode: (count) => repeat(count, () => codec.decode(bytes)),
      clientEncode: (count) => repeatAsync(count, () => client.encode(schemaId, rawPurchase)),
      clientDecode: (count) => repeatAsync(count, () => client.decode(bytes)),
    },
    often,
  )
  const { decodeAs } = await perSecond(
    { decodeAs: (count) => repeatAsync(count, () => client.decode(bytes, asReader)) },
    { rounds: 3, count: 2000 },
  )
  return {
    schema: 'PurchaseMade',
    annals: { encodePerSecond: rates.encode, decodePerSecond: rates.decode },
    registryClient: {
      encodePerSecond: rates.clientEncode,
      decodePerSecond: rates.clientDecode,
      decodeAsPerSecond: decodeAs,
    },
  }
}

function repeat(count: number, work: () => unknown): void {
  for (let done = 0; done < count; done++) work()
}

async function repeatAsync(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done++) await work()
}

const row = (label: string, ...columns: readonly (number | string)[]): string =>
  [label.padEnd(43), ...columns.map((column) => column.toLocaleString('en').padStart(12))].join('')

const format = ({ schema, annals, registryClient }: CodecResult): string =>
  [
    row(`${schema}, one thread`, 'encode/s', 'decode/s'),
    row('annals (JSON form, all checks)', annals.encodePerSecond, annals.decodePerSecond),
    row('registry client (no logical types)', registryClient.encodePerSecond, registryClient.decodePerSecond),
    row('registry client, explicit reader schema', '', registryClient.decodeAsPerSecond),
  ].join('\n')

/** Encodes events and decodes them, with a stand-in for the registry. */
export const codec: Bench<CodecResult> = { run, format }
