# Sourced after bootstrap.sh: serves the examples unless ANNALS_DOMAIN is set.

if [ -z "${ANNALS_DOMAIN:-}" ]; then
  export ANNALS_DOMAIN="$repository/examples/customers/domain.ts,$repository/examples/orders/domain.ts"
  export ANNALS_SCHEMAS="${ANNALS_SCHEMAS:-$repository/schemas}"
fi
