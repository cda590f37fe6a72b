import { benchDomain } from './domain.ts'

export default benchDomain('bench-tls')
