"""Direct evidence, from the kernel's own tracepoints: what the system refused the target, and who sent it a signal."""
