/**
 * Packages whose install script is not run, because .npmrc says `ignore-scripts=true`, and why they work without it.
 * A test compares the list with package-lock.json: a package with an install script that is not listed must be judged first.
 */
export const ignoredInstallScripts = {
  'cpu-features':
    'Compiles a native module with which ssh2 chooses between ciphers. It is optional; ssh2 catches that it is missing.',
  libxmljs2:
    'Compiles a native XML parser, with which @cyclonedx/cyclonedx-npm checks SBOMs in XML. It is optional; ours is JSON.',
  protobufjs: 'Prints a warning about version ranges. It changes no file.',
  ssh2: 'Compiles native ciphers. It falls back to those of Node.js. testcontainers uses it for Docker over SSH only.',
} as const satisfies Readonly<Record<string, string>>
