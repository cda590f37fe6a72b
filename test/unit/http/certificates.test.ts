import { createPrivateKey, X509Certificate } from 'node:crypto'

import { expect, test } from 'vitest'

import { CertificateAuthority } from '../../support/tls/certificates.ts'

test('an authority signs certificates of servers and clients', async () => {
  const [authority, foreign] = [await CertificateAuthority.create(), await CertificateAuthority.create()]
  const { cert, key } = await authority.server({ names: ['writer-1.test', '127.0.0.1'] })
  const server = new X509Certificate(cert)
  expect(server.checkHost('writer-1.test')).toBe('writer-1.test')
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(server.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect(server.verify(new X509Certificate(authority.cert).publicKey)).toBe(true)
  expect(server.verify(new X509Certificate(foreign.cert).publicKey)).toBe(false)
  const client = new X509Certificate((await authority.client('ada')).cert)
  expect(client.toLegacyObject().subject.CN).toBe('ada')
  expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
})
