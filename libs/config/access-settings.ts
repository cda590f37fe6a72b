import { choice, count, duration, group, list, optional, size, text, url } from './settings.ts'

export const access = group(
  'Access',
  'Who may do what. [The guide](guide/access.md) explains principals, roles and rules.',
  {
    mode: optional(
      choice(['open', 'file', 'topic'], {
        env: 'ANNALS_ACCESS',
        defaultText: '`open` on a loopback address; on others it must be set',
        description:
          'Where keys, roles and certificates are stored: in a `file`, or in a compacted Kafka `topic`. `open`: everyone who reaches the port may do everything.',
      }),
    ),
    file: optional(
      text({ env: 'ANNALS_ACCESS_FILE', description: 'The access file, if ANNALS_ACCESS is `file`.' }),
    ),
    topic: text(
      {
        env: 'ANNALS_ACCESS_TOPIC',
        default: 'annals.access',
        form: 'a topic name',
        description: 'The topic of keys, roles and certificates, if ANNALS_ACCESS is `topic`.',
      },
      '^[a-zA-Z0-9._-]{1,249}$',
    ),
    auditTopic: text(
      {
        env: 'ANNALS_AUDIT_TOPIC',
        default: 'annals.audit',
        form: 'a topic name',
        description: 'The topic of the audit trail, which is written unless ANNALS_ACCESS is `open`.',
      },
      '^[a-zA-Z0-9._-]{1,249}$',
    ),
    auditRetentionMs: duration({
      env: 'ANNALS_AUDIT_RETENTION',
      default: 400 * 86_400_000,
      minimum: 3_600_000,
      description:
        'How long the audit trail is kept. It applies when the topic is created; later it is `retention.ms` of the topic.',
    }),
    peerSecret: optional(
      text(
        {
          env: 'ANNALS_PEER_SECRET',
          secret: true,
          form: 'at least 32 characters',
          description:
            'Secret that all services of an installation share; needed unless ANNALS_ACCESS is open. With it they sign the principals of forwarded requests, and prove to each other that they are peers.',
        },
        '^.{32,}$',
      ),
    ),
    peerHosts: list(
      {
        env: 'ANNALS_PEER_HOSTS',
        default: [],
        defaultText: 'all that prove to be peers',
        form: 'host names or addresses, each with or without a port, separated by commas; `*.` at the start matches subdomains',
        description: 'Hosts at which other services of the installation may be.',
      },
      '^(\\*\\.)?(\\[[0-9a-fA-F:]+\\]|[^\\s:/?#@,*]+)(:\\d{1,5})?$',
    ),
    jwt: group('', '', {
      jwksUrl: optional(
        url({
          env: 'ANNALS_JWT_JWKS_URL',
          protocols: ['https:', 'http:'],
          description:
            "URL of the issuer's public keys (JWKS). With it, JSON Web Tokens are accepted. http: only on loopback.",
        }),
      ),
      issuer: optional(
        text({ env: 'ANNALS_JWT_ISSUER', description: 'The issuer (`iss`) that every token must have.' }),
      ),
      audience: optional(
        text({ env: 'ANNALS_JWT_AUDIENCE', description: 'The audience (`aud`) that every token must have.' }),
      ),
      algorithms: list(
        {
          env: 'ANNALS_JWT_ALGORITHMS',
          default: ['RS256', 'ES256', 'EdDSA'],
          form: 'asymmetric algorithms, separated by commas: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA',
          description: 'Accepted signature algorithms.',
        },
        '^([RP]S(256|384|512)|ES(256|384|512)|EdDSA)$',
        1,
      ),
      clockToleranceMs: duration({
        env: 'ANNALS_JWT_CLOCK_TOLERANCE',
        default: 5_000,
        maximum: 300_000,
        description: 'How far the clocks of the issuer and of this service may differ.',
      }),
      cacheMs: duration({
        env: 'ANNALS_JWT_JWKS_CACHE',
        default: 600_000,
        minimum: 1_000,
        description: 'How long public keys are used before they are fetched again.',
      }),
      nameClaim: text({
        env: 'ANNALS_JWT_NAME_CLAIM',
        default: 'sub',
        description: 'The claim with the name of the principal.',
      }),
      rolesClaim: text({
        env: 'ANNALS_JWT_ROLES_CLAIM',
        default: 'roles',
        description:
          'The claim with the names of roles: an array, or text separated by spaces. Dots lead into objects, e.g. `realm_access.roles`.',
      }),
    }),
  },
)

export const tls = group(
  'TLS',
  'With a certificate, a service listens with HTTPS. Files are read again when they change.',
  {
    certFile: optional(
      text({ env: 'ANNALS_TLS_CERT_FILE', description: 'Certificate of the service with its chain (PEM).' }),
    ),
    keyFile: optional(
      text({ env: 'ANNALS_TLS_KEY_FILE', description: 'Private key of that certificate (PEM).' }),
    ),
    clientCaFile: optional(
      text({
        env: 'ANNALS_TLS_CLIENT_CA_FILE',
        description:
          'Certificates of the authorities that sign client certificates (PEM). With it, clients may log in by a certificate.',
      }),
    ),
    peerCaFile: optional(
      text({
        env: 'ANNALS_PEER_CA_FILE',
        defaultText: 'the authorities built into Node.js',
        description: "Certificates of the authorities that sign other services' certificates (PEM).",
      }),
    ),
  },
)

export const limits = group(
  'Limits per principal',
  'For each principal in each process. Without a value there is no limit. A role may set others. The limits of the whole process are under HTTP.',
  {
    requestsPerSecond: optional(
      count({ env: 'ANNALS_LIMIT_REQUESTS', description: 'Requests a second; bursts of one second pass.' }),
    ),
    eventsPerSecond: optional(
      count({ env: 'ANNALS_LIMIT_EVENTS', description: 'Appended events a second.' }),
    ),
    bytesPerSecond: optional(
      size({ env: 'ANNALS_LIMIT_BYTES', description: 'Bytes of appended bodies a second.' }),
    ),
    subscribers: optional(
      count({ env: 'ANNALS_LIMIT_SUBSCRIBERS', description: 'Live subscriptions at a time.' }),
    ),
    reads: optional(count({ env: 'ANNALS_LIMIT_READS', description: 'Reads in progress at a time.' })),
  },
)
