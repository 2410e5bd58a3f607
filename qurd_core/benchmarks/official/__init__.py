"""The literature's benchmarks: models of the hub on official data sets, fetched once."""
