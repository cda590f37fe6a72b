# Sourced by start.sh, stop.sh, test.sh and ./annals: provides a Node that runs TypeScript directly, and the packages.
# The TypeScript that runs next provides everything else, including Java and Redis.

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
toolchain="$repository/.annals/toolchain"

say() { printf '%s\n' "$@" >&2; }

fail() {
  say "$@"
  exit 1
}

# Node runs TypeScript without a build from 22.18 on.
node_is_new_enough() {
  command -v node >/dev/null 2>&1 &&
    node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 18) ? 0 : 1)'
}

provide_node() {
  node_is_new_enough && return
  local own="$toolchain/node_modules/node/bin"
  if [ ! -x "$own/node" ]; then
    command -v npm >/dev/null 2>&1 || fail "Annals needs Node 22.18 or newer, or any Node with npm to download it." \
      "Install it: Debian and Ubuntu: apt-get install nodejs npm; macOS: brew install node."
    say "Node here is $(node --version 2>/dev/null || echo missing), older than 22.18: downloading Node 24 into .annals/toolchain (only once)"
    (umask 077 && mkdir -p "$toolchain")
    # The package node fetches its program in an install script.
    npm install --prefix "$toolchain" --ignore-scripts=false --no-audit --no-fund --loglevel=error node@24 >"$toolchain/npm.log" 2>&1 ||
      fail "Node 24 could not be downloaded; output of npm:" "$(tail -n 15 "$toolchain/npm.log")"
  fi
  export PATH="$own:$PATH"
  node_is_new_enough || fail "The Node in .annals/toolchain does not run. Delete that folder and try again."
}

# npm writes node_modules/.package-lock.json last, so a newer package-lock.json means that it changed, or that the installation is incomplete.
provide_packages() {
  local done="$repository/node_modules/.package-lock.json"
  [ -e "$done" ] && [ ! "$repository/package-lock.json" -nt "$done" ] && return
  say "Installing packages (npm ci)"
  (umask 077 && mkdir -p "$repository/.annals/logs")
  local log="$repository/.annals/logs/npm-ci.log"
  (cd "$repository" && npm ci --no-audit --no-fund --loglevel=error) >"$log" 2>&1 </dev/null ||
    fail "npm ci failed; first lines of $log:" "$(head -n 12 "$log")"
  touch "$done"
}

provide_node
provide_packages

# Caches compiled code, so that processes start faster.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE-$repository/.annals/compile-cache}"
