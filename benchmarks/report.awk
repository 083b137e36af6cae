# SPDX-License-Identifier: BSL-1.0
# Turns measurements into one Markdown report, the data of one plot a table, and JSON.
#   awk -f report.awk -v out=DIR -v machine=TEXT [-v quick=1] budgets.tsv figures.tsv
# Exits with 1 in a quick run where a ratio falls out of its budget by more than half.
BEGIN { FS = "\t"; report = out "/report.md"; json = out "/report.json" }

/^#/ { next }
FILENAME ~ /budgets/ { budget[++budgets] = $0; next }

{ # TABLE ROW COLUMN ROUND VALUE
    if (!($1 in rows)) table[++tables] = $1
    if (!(($1, $2) in seen)) { seen[$1, $2]; row[$1, ++rows[$1]] = $2 }
    if (!(($1, "", $3) in seen)) { seen[$1, "", $3]; column[$1, ++columns[$1]] = $3 }
    cell = $1 SUBSEP $2 SUBSEP $3
    if (!(cell in rounds) || rounds[cell] < $4) rounds[cell] = $4
    value[cell, $4] = $5
}

function median(values, n,   i, j, v) {
    for (i = 2; i <= n; ++i) {
        v = values[i]
        for (j = i - 1; j > 0 && values[j] > v; --j) values[j + 1] = values[j]
        values[j + 1] = v
    }
    return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}
function median_of(cell,   values, n, i) {
    for (i = 1; i <= rounds[cell]; ++i) if ((cell, i) in value) values[++n] = value[cell, i]
    return median(values, n)
}
function all_of(cell,   text, i) {
    for (i = 1; i <= rounds[cell]; ++i) if ((cell, i) in value) text = text (text == "" ? "" : ",") value[cell, i]
    return "[" text "]"
}
# As many digits as mean something.
function brief(x,   a) {
    a = x < 0 ? -x : x
    return sprintf(a >= 100 || x == int(x) ? "%.0f" : a >= 10 ? "%.1f" : a >= 1 ? "%.2f" : a >= 0.1 ? "%.3f" : "%.4f", x)
}
function unit(name) { sub(/.*, /, "", name); return name }

# What a plot shows: the columns that have the first one's unit.
function write_plot(t,   name, c, r, cell, shown, largest, smallest, v, data, line) {
    name = table[t]
    gsub(/[^a-z0-9]/, "_", name)
    data = out "/" name ".dat"
    line = "\"\""
    for (c = 1; c <= columns[table[t]]; ++c)
        if (unit(column[table[t], c]) == unit(column[table[t], 1])) { ++shown; line = line " \"" column[table[t], c] "\"" }
    print line >data
    for (r = 1; r <= rows[table[t]]; ++r) {
        line = "\"" row[table[t], r] "\""
        for (c = 1; c <= columns[table[t]]; ++c) {
            if (unit(column[table[t], c]) != unit(column[table[t], 1])) continue
            cell = table[t] SUBSEP row[table[t], r] SUBSEP column[table[t], c]
            if (!(cell in rounds)) { line = line " NaN"; continue }
            v = median_of(cell)
            line = line " " v
            if (v > largest) largest = v
            if (v > 0 && (smallest == "" || v < smallest)) smallest = v
        }
        print line >data
    }
    close(data)
    print name, shown, unit(column[table[t], 1]), (largest > 30 * smallest ? "log" : "linear"), table[t] >(out "/plots.tsv")
}

END {
    OFS = "\t"
    print "# Benchmarks\n\n" machine "\n" >report
    printf "{\"machine\":\"%s\",\"ratios\":{", machine >json
    print "| key | measured | budget | |\n|---|--:|--:|---|" >report
    for (b = 1; b <= budgets; ++b) {
        split("", f)
        n = split(budget[b], f, "\t")
        above = f[4] SUBSEP f[5] SUBSEP f[6]
        below = f[4] SUBSEP f[7] SUBSEP f[8]
        if (!(above in rounds) || (n > 6 && !(below in rounds))) continue
        count = 0
        for (i = 1; i <= rounds[above]; ++i) {
            if (n > 6 && !((below, i) in value)) continue
            if ((above, i) in value) ratio[++count] = n > 6 ? value[above, i] / value[below, i] : value[above, i]
        }
        if (count == 0) continue
        measured = median(ratio, count)
        only_here = sub(/ here$/, "", f[2])
        met = f[2] == "most" ? measured <= f[3] : measured >= f[3]
        far = !only_here && (f[2] == "most" ? measured > f[3] * 1.5 : measured < f[3] * 0.5)
        if (far) { failed = 1; print "FAR OUT OF BUDGET: " f[1] " is " brief(measured) ", at " f[2] " " f[3] >"/dev/stderr" }
        print "| `" f[1] "` | " brief(measured) " | at " f[2] " " f[3] " | " (met ? "met" : "**not met**") " |" >report
        printf "%s\"%s\":{\"value\":%.6g,\"budget\":%s,\"within\":\"at %s\",\"met\":%s,\"rounds\":%d,\"from\":{\"%s, %s\":%s", \
            (listed++ ? "," : ""), f[1], measured, f[3], f[2], (met ? "true" : "false"), count, f[5], f[6], all_of(above) >json
        if (n > 6) printf ",\"%s, %s\":%s", f[7], f[8], all_of(below) >json
        printf "}}" >json
    }
    print "}}" >json
    for (t = 1; t <= tables; ++t) {
        name = tolower(table[t])
        gsub(/[^a-z0-9]/, "_", name)
        print "\n## " toupper(substr(table[t], 1, 1)) substr(table[t], 2) "\n" >report
        line = "| |"; rule = "|---|"
        for (c = 1; c <= columns[table[t]]; ++c) { line = line " " column[table[t], c] " |"; rule = rule "--:|" }
        print line "\n" rule >report
        for (r = 1; r <= rows[table[t]]; ++r) {
            line = "| " row[table[t], r] " |"
            for (c = 1; c <= columns[table[t]]; ++c) {
                cell = table[t] SUBSEP row[table[t], r] SUBSEP column[table[t], c]
                line = line " " (cell in rounds ? brief(median_of(cell)) : "") " |"
            }
            print line >report
        }
        print "\n![" table[t] "](plots/" name ".svg)" >report
        write_plot(t)
    }
    exit(quick && failed)
}
