# SPDX-License-Identifier: BSL-1.0
# What the benchmarks share: where figures go, how often things are measured, and the CPU time of a process.
set -euo pipefail
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."
out=$PWD/build/benchmarks
bin=$out/cmake/benchmarks
figures=$out/figures.tsv
quick=${QUICK:-0}
rounds=${ROUNDS:-5}
mkdir -p "$out"

# Servers run on the first core that this process may use, what loads them on the last.
cores=$(taskset -cp $$ | sed 's/.*: //; s/[-,]/ /g')
read -r first_core _ <<<"$cores"
last_core=${cores##* }

# figure TABLE ROW COLUMN ROUND VALUE : one measurement
figure() { printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$figures"; }

# cpu_ns PID : the CPU time of all its threads so far, as the kernel's scheduler accounts for it
cpu_ns() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }

# divide A B [DIGITS]
divide() { awk -v a="$1" -v b="$2" -v digits="${3:-3}" 'BEGIN { printf "%.*f\n", digits, a / b }'; }

# await_port PORT : until somebody accepts connections there
await_port() {
    local i
    for i in $(seq 100); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
        sleep 0.05
    done
    echo "nobody listens on port $1 after $i attempts" >&2
    return 1
}

# Whatever a script starts ends with it.
started=()
end_started() { [ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null || true; }
trap end_started EXIT
