EXTRA_DIST += bench/run bench/results
