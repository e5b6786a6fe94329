EXTRA_DIST += bench/run bench/peers.sh bench/scale bench/churn bench/figure.py bench/results
