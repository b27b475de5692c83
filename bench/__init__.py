"""Speed, as ratios to baselines measured in the same run."""
