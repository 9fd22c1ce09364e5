#!/usr/bin/env bash
# Learn from the example files and ask two questions. `make demo` begins with it; every command is shown before it runs.
set -euo pipefail

cd "$(dirname "$0")/.."
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
store="$folder/demo.duckdb"

# Show a command as one would type it, without the temporary folder, then run it.
run() {
    local shown="" argument
    for argument in "$@"; do
        case "$argument" in
            *" "*) shown+=" \"$argument\"" ;;
            *) shown+=" ${argument#"$folder/"}" ;;
        esac
    done
    printf '\n$%s\n' "$shown"
    "$@"
}

run memp learn "$store" examples/runs.jsonl examples/chat.jsonl examples/react.jsonl
run memp ask "$store" "warm some soup and put it on the tray" -k 1
run memp ask "$store" "refund a kite with a broken spar" -k 1
