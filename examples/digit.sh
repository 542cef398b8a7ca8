#!/bin/sh
# Asks over REST which digit a picture shows; the tensor travels as JSON.
# Usage: ./digit.sh [request.json]
set -eu

url=${URL:-http://127.0.0.1:8000}
request=${1:-$(dirname "$0")/seven.json}

curl --silent --show-error --fail-with-body \
    --header 'Content-Type: application/json' \
    --data-binary "@$request" \
    "$url/v2/models/digits/infer"
echo
