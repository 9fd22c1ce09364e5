"""Benchmarks; nothing here runs in the tests."""
