/** The Node.js options of a service. */
export const nodeArguments: readonly string[] = [
  // kafkajs sometimes sets a negative timeout, and Node.js warns about it. The warning is harmless and unclear.
  '--disable-warning=TimeoutNegativeWarning',
  // With a higher limit, V8 lets garbage grow to four times the live heap before it collects; with this one to less
  // than twice.
  '--max-old-space-size=1536',
]
