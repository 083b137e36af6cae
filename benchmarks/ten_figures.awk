# SPDX-License-Identifier: BSL-1.0
# Makes the README's table of figures out of the report, so that the two agree, and names the budgets that are not met.
#   awk -f ten_figures.awk ten_figures.tsv REPORT
# Fails where the report lacks one of the figures, as that of a part of the benchmarks or of a quick run does.
BEGIN { FS = "\t" }
FNR == 1 { ++file }
file == 1 && /^#/ { next }
file == 1 { wanted[++figures] = $0; next }

/^#/ { heading = $0; sub(/^#+ /, "", heading); lines = 0; next }
/^\|/ {
    cells = split($0, cell, / *\| */)
    if (++lines == 1) split($0, column, / *\| */)
    if (cell[2] ~ /^`/) { ++budgets; if (/not met/) not_met = not_met (not_met == "" ? "" : ", ") cell[2] }
    if (lines > 2) for (i = 3; i < cells; ++i) value[heading, column[i], cell[2]] = cell[i]
    next
}
machine == "" && /^[A-Za-z]/ { machine = $0 }

END {
    text = "| | healthz | beside it |\n|---|--:|---|\n"
    for (f = 1; f <= figures; ++f) {
        count = split(wanted[f], w, "\t")
        if (value[w[2], w[3], w[4]] == "") missing = missing "\n" w[1]
        text = text "| " w[1] " | " value[w[2], w[3], w[4]] " |"
        for (i = 5; i <= count; ++i) {
            split(w[i] "=" w[i], peer, "=")
            found = value[w[2], w[3], peer[1]] value[w[2], peer[1], w[4]]
            if (found == "") missing = missing "\n" w[1] ": " peer[1]
            text = text (i > 5 ? ", " : " ") peer[2] " " found
        }
        text = text " |\n"
    }
    if (missing != "") { print "the report lacks these figures:" missing >"/dev/stderr"; exit 1 }
    print machine ".\n[The whole report](benchmarks/README.md) has " budgets " budgets; " \
        (not_met == "" ? "all of them are met." : "these are not met: " not_met ".") "\n"
    printf "%s", text
}
