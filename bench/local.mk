EXTRA_DIST += bench/run bench/peers.sh bench/scale bench/churn bench/keymgr bench/figure.py bench/results
