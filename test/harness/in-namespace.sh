#!/usr/bin/env bash
# Runs a command in a network namespace of its own, which has loopback and one other address, 10.99.0.1:
# Firefox does not send from an interface's address to loopback, and the loss and limits that tests put on
# here touch nothing else.
#
# Use: in-namespace.sh COMMAND [ARGUMENT...]     (root, or a kernel that lets users make namespaces)
set -euo pipefail
if [ "${TEST_NAMESPACE:-}" != inside ]; then
  as_root=(); [ "$(id -u)" = 0 ] || as_root=(--map-root-user)
  TEST_NAMESPACE=inside exec unshare --net "${as_root[@]}" -- "$0" "$@"
fi
ip link set lo up
ip link add test0 type veth peer name test1
ip address add 10.99.0.1/24 dev test0
ip link set test0 up
ip link set test1 up
# By its default route a browser finds the address that it gathers candidates for.
ip route add default dev test0
exec "$@"
