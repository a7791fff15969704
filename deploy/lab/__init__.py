"""Real guests for demo, tests and benchmarks. See README.md."""
