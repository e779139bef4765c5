"""Direct evidence: what the system refused the target, and who sent it a signal."""
