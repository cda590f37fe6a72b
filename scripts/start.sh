#!/usr/bin/env bash
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/bootstrap.sh"
source "$repository/scripts/lib/example-domain.sh"
exec node "$repository/scripts/local/start.ts" "$@"
