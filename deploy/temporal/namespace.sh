#!/bin/sh
# The namespace of the orders, created or corrected. Safe to run again.
# The CLI reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE from the environment.
set -eu

# A closed order is deleted after this time, and with it the personal data in its history.
# Amazon allows personal data for 30 days after delivery.
days=${RETENTION_DAYS:-30}
case $days in
    '' | *[!0-9]*) echo "RETENTION_DAYS is '$days': write a whole number of days." >&2; exit 2 ;;
esac
if [ "$days" -lt 1 ] || [ "$days" -gt 30 ]; then
    echo "RETENTION_DAYS is $days: Amazon allows personal data to be kept for 30 days at most. Write 1 to 30." >&2
    exit 2
fi

# A fresh server answers before its namespaces are known everywhere, so each command is repeated until it holds.
repeat() {
    attempt=1
    until "$@"; do
        if [ "$attempt" -ge 60 ]; then
            echo "Gave up after $attempt attempts: $*" >&2
            exit 1
        fi
        attempt=$((attempt + 1))
        sleep 1
    done
}

exists_or_created() {
    temporal operator namespace describe >/dev/null 2>&1 ||
        temporal operator namespace create --retention "${days}d"
}

repeat exists_or_created
repeat temporal operator namespace update --retention "${days}d"
repeat temporal workflow count
