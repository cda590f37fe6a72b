export { newApiKey } from './api-key.ts'
export { Authenticator } from './authenticator.ts'
export { JwtVerifier } from './jwt-verifier.ts'
export { PeerTokens } from './peer-tokens.ts'
