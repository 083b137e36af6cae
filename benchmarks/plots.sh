#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: benchmarks/plots.sh
# Draws one SVG a table from what report.awk left in build/benchmarks.
source "$(dirname "$0")/common.sh"
mkdir -p "$out/plots"
while IFS=$'\t' read -r name shown unit scale title; do
    {
        echo "set terminal svg size 760,320 font 'sans,12' background rgb 'white'; set output '$out/plots/$name.svg'"
        echo "set title '$title' noenhanced; set ylabel '$unit' noenhanced; set style data histograms; set style fill solid 0.8 border -1"
        echo "set key outside top right noenhanced; set xtics rotate by -20 noenhanced; set grid ytics; set boxwidth 0.9"
        if [ "$scale" = log ]; then echo "set logscale y"; else echo "set yrange [0:*]"; fi
        [ "$shown" -gt 1 ] || echo "set key off"
        echo "plot for [i=2:$((shown + 1))] '$out/$name.dat' using i:xtic(1) title columnheader(i)"
    } | gnuplot
done <"$out/plots.tsv"
