EXTRA_DIST += bench/run bench/scale bench/results
