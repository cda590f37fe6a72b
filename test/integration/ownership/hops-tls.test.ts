import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { AnnalsClient } from '#client'
import { eventTopic } from '#domain'

import { joinAsForeign, recordingServer } from '../../support/kafka/foreign-member.ts'
import type { Installation, RealWriter } from '../../support/services/real-writer.ts'
import { valueOf } from '../../support/services/snapshotter-fixture.ts'
import {
  purchase,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { CertificateAuthority, writeCertified } from '../../support/tls/certificates.ts'

const partitions = 4

/** Writers with certificates of an authority of their own, which share a secret. */
async function encryptedInstallation(): Promise<{ readonly where: Installation; readonly ca: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'annals-hops-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const authority = await CertificateAuthority.create('hops')
  const { certFile, keyFile } = await writeCertified(folder, 'writer', await authority.server())
  const caFile = join(folder, 'ca.crt')
  await writeFile(caFile, authority.cert)
  const where = testInstallation({
    ANNALS_KAFKA_PARTITIONS: String(partitions),
    ANNALS_PEER_SECRET: 'a secret that only the writers know',
    ANNALS_TLS_CERT_FILE: certFile,
    ANNALS_TLS_KEY_FILE: keyFile,
    ANNALS_PEER_CA_FILE: caFile,
  })
  return { where, ca: authority.cert }
}

const ownedBy = ({ url, writer }: RealWriter, type: string): number =>
  streamPerPartition(type, partitions).filter((streamId) => writer.api.place(streamId).owner === url).length

const foreignOf = async (writer: RealWriter): Promise<number> => (
  await writer.writer.api.owners(),
  valueOf(writer.metrics, 'annals_writer_foreign_members')
)

test('writers with TLS verify each other and forward, and refuse a member with http:', async () => {
  const { where, ca } = await encryptedInstallation()
  const first = await runningWriter(where)
  const second = await runningWriter(where)
  expect(first.url).toMatch(/^https:/)
  await waitFor('both writers to own partitions', () =>
    Promise.resolve([first, second].every((writer) => ownedBy(writer, where.type) === partitions / 2)),
  )
  const client = new AnnalsClient({ url: first.url, direct: false, tls: { ca } })
  onTestFinished(() => client.close())
  for (const streamId of streamPerPartition(where.type, partitions)) {
    await client.append(streamId, [purchase()])
    expect(await client.read(streamId)).toMatchObject({ version: 1 })
  }
  expect(await valueOf(first.metrics, 'annals_writer_forwarded_total')).toBeGreaterThan(0)

  const plain = await recordingServer()
  const userData = Buffer.from(JSON.stringify({ url: plain.url, instance: 'i-1', memberId: '', owned: {} }))
  const groupId = where.env['ANNALS_WRITER_GROUP'] ?? ''
  await joinAsForeign({ groupId, topic: eventTopic(where.type), userData })
  await waitFor('the member to be foreign', async () => (await foreignOf(first)) === 1)
  expect(ownedBy(first, where.type) + ownedBy(second, where.type)).toBe(partitions)
  expect(plain.requests).toEqual([])
})
