"""What can be changed about a failing cell, one thing at a time, and which hypothesis each change isolates; pure.

An intervention that touches two hypotheses at once decides neither: a smaller batch changes memory *and* the work of
each thread, so it is not in this list.
"""

from __future__ import annotations

from harness.decide.memory_ladder import LOWER_RUNGS
from harness.decide.memory_ladder import RUNGS as LADDER
from harness.plan.intervention import Intervention

LARGE_STACK_BYTES = 256 << 20


ONE_THREAD = Intervention("threads=1", "threading-fault", factors=(("threads", 1),))
RUNGS = tuple(Intervention(f"memory={share:g}x", "memory-exhaustion", memory_share=share) for share in LADDER)
LOW_RUNGS = tuple(Intervention(f"memory={share:g}x", "memory-exhaustion", memory_share=share) for share in LOWER_RUNGS)
LARGE_STACK = Intervention(
    "stack=256M", "stack-overflow", variables=(("OMP_STACKSIZE", "256M"), ("KMP_STACKSIZE", "256M")),
    stack_bytes=LARGE_STACK_BYTES,
)  # fmt: skip
PLAIN_CPU = Intervention(
    "cpu=baseline",
    "illegal-instruction",
    variables=(
        ("ATEN_CPU_CAPABILITY", "default"),
        ("ONEDNN_MAX_CPU_ISA", "SSE41"),
        ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2"),
    ),  # fmt: skip
)
NO_ONEDNN = Intervention("onednn=off", "native-fault", onednn=False)
NO_OWN_SIGNALS = Intervention("own-signals=off", "external-kill", own_signals=False)
LIFTED_LIMITS = Intervention("limits=lifted", "resource-limit", lift_limits=True)
ONE_OMP_THREAD = Intervention("OMP_NUM_THREADS=1", variables=(("OMP_NUM_THREADS", "1"),), tells_torch=False)
# A torch that is built with MKL takes MKL's number for its own, also where OMP_NUM_THREADS says another (measured)
ONE_MKL_THREAD = Intervention("MKL_NUM_THREADS=1", variables=(("MKL_NUM_THREADS", "1"),), tells_torch=False)
ONE_BLAS_THREAD = Intervention("OPENBLAS_NUM_THREADS=1", variables=(("OPENBLAS_NUM_THREADS", "1"),))
ONE_TORCH_THREAD = Intervention("torch.set_num_threads=1", torch_threads=1)
# Not among those one by one: torch is given its threads all the same, and OpenBLAS has a variable of its own, so that
# the number of threads is as before, and it is seen whether a variable chooses what the program does
VARIABLES_ALONE = Intervention("variables=1", variables=(("OMP_NUM_THREADS", "1"), ("MKL_NUM_THREADS", "1")))
ONE_BY_ONE = (ONE_OMP_THREAD, ONE_TORCH_THREAD, ONE_MKL_THREAD, ONE_BLAS_THREAD)
PASSIVE_WAIT = Intervention("OMP_WAIT_POLICY=PASSIVE", variables=(("OMP_WAIT_POLICY", "PASSIVE"),))
ONE_CORE = Intervention("cpu=one-core", "threading-fault", one_core=True)
LONG_SWITCH = Intervention("switch-interval=long", "threading-fault", switch_seconds=1000.0)
BOTH_COPIES = Intervention("KMP_DUPLICATE_LIB_OK=TRUE", variables=(("KMP_DUPLICATE_LIB_OK", "TRUE"),))
NO_WORKERS = Intervention("num_workers=0", factors=(("num_workers", 0),))
NO_PROBES = Intervention("probes=off", inside_probes=False)

CATALOGUE = (
    ONE_THREAD, *RUNGS, *LOW_RUNGS, LARGE_STACK, PLAIN_CPU, NO_ONEDNN, NO_OWN_SIGNALS, LIFTED_LIMITS, *ONE_BY_ONE,
    VARIABLES_ALONE, PASSIVE_WAIT, ONE_CORE, LONG_SWITCH, BOTH_COPIES, NO_WORKERS, NO_PROBES,
)  # fmt: skip


def by_id(identity: str) -> Intervention:
    """Return the intervention of that id; a KeyError is a fault of the harness."""
    return {intervention.id: intervention for intervention in CATALOGUE}[identity]


def rung_share(identity: str) -> float | None:
    """Return the share of the peak that a rung of the memory ladder allows, None for other interventions."""
    return next((rung.memory_share for rung in (*RUNGS, *LOW_RUNGS) if rung.id == identity), None)
