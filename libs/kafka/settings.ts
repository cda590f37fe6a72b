import { connect, isIP } from 'node:net'
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls'

import type { ConnectionOptions } from '@platformatic/kafka'
import { type ISocketFactory, type KafkaConfig, logLevel } from 'kafkajs'

import { guardStream } from '#sockets'

/** How to reach a Kafka cluster. TLS and SASL settings are passed to both clients. */
export interface KafkaSettings {
  /** `host:port` of at least one broker; the others are discovered. */
  readonly brokers: readonly string[]
  /** Shown in the broker's logs and quotas. */
  readonly clientId: string
  /** `true` for TLS with Node's own certificate authorities, or the options of `tls.connect`. */
  readonly ssl?: TlsOptions | boolean
  readonly sasl?: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    readonly username: string
    readonly password: string
  }
  /** How long a request may stay unanswered before its connection is closed; default 10,000. */
  readonly requestTimeoutMs?: number
  /** How long connecting may take; default 5,000. */
  readonly connectTimeoutMs?: number
  /** What to change in the settings after this error of a connection; added to the message. */
  readonly advise?: (error: unknown) => string | undefined
}

export const requestTimeoutMsDefault = 10_000
const connectTimeoutMsDefault = 5_000

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** Parses `host:port` or `[::1]:9092`. @throws Error when it is neither. */
export function parseBroker(text: string): BrokerAddress {
  const match = /^(?:\[([\da-f:]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text)
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || Number(match?.[3]) > 65_535) {
    throw new Error(`Kafka broker "${text}" is malformed: expected host:port, e.g. kafka-1.example.com:9092`)
  }
  return { host, port: Number(match?.[3]) }
}

/** The settings in the form of the protocol client. */
export function connectionOptions(settings: KafkaSettings, host: string): ConnectionOptions {
  const { ssl = false, sasl } = settings
  return {
    requestTimeout: settings.requestTimeoutMs ?? requestTimeoutMsDefault,
    connectTimeout: settings.connectTimeoutMs ?? connectTimeoutMsDefault,
    // Every request has its own deadline, and the callers bound their number.
    maxInflights: 1_024,
    // An IP address must not be sent as the server's name (RFC 6066 §3).
    ...(ssl === false ? {} : { tls: ssl === true ? {} : ssl, tlsServerName: isIP(host) === 0 }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } }),
  }
}

const groupMechanisms = {
  PLAIN: 'plain',
  'SCRAM-SHA-256': 'scram-sha-256',
  'SCRAM-SHA-512': 'scram-sha-512',
} as const

const keepAliveMs = 60_000

/** Opens a socket like the consumer-group client's default, guarded against parser exceptions. */
const guardedSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const servername = isIP(host) === 0 ? { servername: host } : {}
  // Without TLS, `ssl` is undefined, contrary to its type.
  const socket = (ssl as object | undefined)
    ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
    : connect({ host, port }, onConnect)
  return guardStream(socket).setKeepAlive(true, keepAliveMs)
}

/** The settings in the form of the consumer-group client. */
export function groupClientConfig(settings: KafkaSettings): KafkaConfig {
  const { ssl, sasl } = settings
  return {
    clientId: settings.clientId,
    brokers: [...settings.brokers],
    requestTimeout: settings.requestTimeoutMs ?? requestTimeoutMsDefault,
    connectionTimeout: settings.connectTimeoutMs ?? connectTimeoutMsDefault,
    logLevel: logLevel.NOTHING,
    // The client's parser throws on malformed frames, inside the socket's event handler.
    socketFactory: guardedSocket,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: groupMechanisms[sasl.mechanism],
            username: sasl.username,
            password: sasl.password,
          } as KafkaConfig['sasl'] & object,
        }),
  }
}
