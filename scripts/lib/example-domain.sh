# Sourced after bootstrap.sh: without a domain of one's own, the examples are served.

if [ -z "${ANNALS_DOMAIN:-}" ]; then
  export ANNALS_DOMAIN="$repository/examples/customers/domain.ts,$repository/examples/orders/domain.ts"
  export ANNALS_SCHEMAS="${ANNALS_SCHEMAS:-$repository/schemas}"
fi
