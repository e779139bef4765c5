"""Thresholds, delta debugging, statistics: pure, and ignorant of processes."""
