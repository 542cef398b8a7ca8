#!/bin/sh
# Asks over REST which digit a picture shows; the tensor travels as bytes behind the JSON (binary tensor extension).
# Usage: ./digit_binary.sh [tensor.fp32]
set -eu

url=${URL:-http://127.0.0.1:8000}
tensor=${1:-$(dirname "$0")/seven.fp32}
bytes=$(wc -c <"$tensor" | tr -d ' ')

# The header below counts bytes and the shell counts characters: keep this ASCII.
json='{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 1, 28, 28],
  "parameters": {"binary_data_size": '$bytes'}}],
  "outputs": [{"name": "probabilities", "parameters": {"binary_data": false}}]}'

{ printf '%s' "$json"; cat "$tensor"; } |
    curl --silent --show-error --fail-with-body \
        --header 'Content-Type: application/octet-stream' \
        --header "Inference-Header-Content-Length: ${#json}" \
        --data-binary @- \
        "$url/v2/models/digits/infer"
echo
