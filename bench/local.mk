EXTRA_DIST += bench/run
