EXTRA_DIST += bench/run bench/scale bench/churn bench/figure.py bench/results
