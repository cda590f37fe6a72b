import { describe, expect, test } from 'vitest'

import { connectionOptions, groupClientConfig, type KafkaSettings, parseBroker } from './settings.ts'

const plain: KafkaSettings = { brokers: ['kafka-1:9092'], clientId: 'writer' }
const secured: KafkaSettings = {
  ...plain,
  ssl: { ca: 'PEM' },
  sasl: { mechanism: 'SCRAM-SHA-512', username: 'annals', password: 'secret' },
  requestTimeoutMs: 1_234,
  connectTimeoutMs: 567,
}

describe('a broker’s address', () => {
  test.each([
    ['kafka-1.example.com:9092', { host: 'kafka-1.example.com', port: 9092 }],
    ['127.0.0.1:19092', { host: '127.0.0.1', port: 19092 }],
    ['[::1]:9092', { host: '::1', port: 9092 }],
  ])('%s is read', (text, address) => {
    expect(parseBroker(text)).toEqual(address)
  })

  test.each(['', 'kafka-1', 'kafka-1:', ':9092', 'kafka-1:99999', 'http://kafka-1:9092', 'a b:1'])(
    '%s is malformed, and the error shows the expected form',
    (text) => {
      expect(() => parseBroker(text)).toThrow(`Kafka broker "${text}" is malformed: expected host:port`)
    },
  )
})

describe('TLS and SASL reach both clients', () => {
  test('the protocol client, which sends a server name unless the host is an IP address', () => {
    expect(connectionOptions(secured, 'kafka-1')).toMatchObject({
      tls: { ca: 'PEM' },
      tlsServerName: true,
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'annals', password: 'secret' },
      requestTimeout: 1_234,
      connectTimeout: 567,
    })
    expect(connectionOptions({ ...plain, ssl: true }, '10.0.0.1')).toMatchObject({
      tls: {},
      tlsServerName: false,
    })
  })

  test('the group client, which has its own names for mechanisms', () => {
    expect(groupClientConfig(secured)).toMatchObject({
      clientId: 'writer',
      brokers: ['kafka-1:9092'],
      ssl: { ca: 'PEM' },
      sasl: { mechanism: 'scram-sha-512', username: 'annals', password: 'secret' },
      requestTimeout: 1_234,
      connectionTimeout: 567,
    })
  })

  test('and neither when not configured', () => {
    for (const options of [connectionOptions(plain, 'kafka-1'), groupClientConfig(plain)]) {
      expect(options).not.toHaveProperty('tls')
      expect(options).not.toHaveProperty('ssl')
      expect(options).not.toHaveProperty('sasl')
    }
    expect(connectionOptions({ ...plain, ssl: false }, 'kafka-1')).not.toHaveProperty('tls')
  })
})
