"""Works on under a limit of its CPU time (RLIMIT_CPU, a second): the kernel sends SIGXCPU."""

import resource

import weights  # noqa: F401 - it is held

resource.setrlimit(resource.RLIMIT_CPU, (1, 30))
step = 0
while True:
    step += 1
    if step % 100_000 == 0:
        print(f"step {step}", flush=True)
