/** How Node.js runs a service: its arguments before the program. */
export const nodeArguments: readonly string[] = [
  // kafkajs at times asks for a timeout in the past, which Node.js remarks on; it is as harmless as it is unclear.
  '--disable-warning=TimeoutNegativeWarning',
  // Where more is allowed, V8 lets garbage grow to four times of what is in use before it collects it; here to less than twice.
  '--max-old-space-size=1536',
]
