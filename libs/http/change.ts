const readingMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

/**
 * Whether a request with this method may change something: true except for the methods that HTTP calls safe (RFC 9110,
 * 9.2.1).
 */
export const isChange = (method: string): boolean => !readingMethods.includes(method)
