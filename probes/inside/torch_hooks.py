"""Once torch is imported: hook forwards, backward, optimizer steps and data loading from outside, set thread counts.

Nothing here imports torch: the module arrives as an argument. A hook that this torch does not have is a Gap.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from . import compiled, loaders, meetings, steering
from .flight import KIND
from .lines import Lines
from .tracker import Tracker


def install(torch: types.ModuleType, tracker: Tracker, spec: dict, inside: Lines) -> None:
    """Set the thread counts that the spec asks for, then hook torch; called once, right after the import."""
    _set_threads(torch, spec)
    tracker.position(KIND["torch"])
    _hook_forwards(torch, tracker)
    if not spec.get("onednn", True):
        torch.backends.mkldnn.set_flags(False)
    _hook_optimizers(torch, tracker)
    _hook_backward(torch, tracker)
    _hook_data(torch, tracker)
    loaders.watch(sys.modules["torch.utils.data.dataloader"], spec, inside)
    meetings.watch(inside)
    compiled.keep_out(torch, inside)
    inside.write(
        event="torch", version=torch.__version__, threads=torch.get_num_threads(),
        interop_threads=torch.get_num_interop_threads(), parallel_info=torch.__config__.parallel_info(),
    )  # fmt: skip
    steering.write(torch, inside, "import")
    tracker.when_first_model_runs(lambda: steering.write(torch, inside, "first forward"))


def _set_threads(torch: types.ModuleType, spec: dict) -> None:
    # torch ignores OMP_NUM_THREADS above the core count, and honours this call
    if spec.get("threads"):
        torch.set_num_threads(spec["threads"])
    if spec.get("interop_threads"):
        torch.set_num_interop_threads(spec["interop_threads"])


def _hook_forwards(torch: types.ModuleType, tracker: Tracker) -> None:
    tracker.learn_from(torch.is_grad_enabled, compiled.question(torch))
    before, after = tracker.hooks()
    torch.nn.modules.module.register_module_forward_pre_hook(before)
    torch.nn.modules.module.register_module_forward_hook(after)


def _hook_optimizers(torch: types.ModuleType, tracker: Tracker) -> None:
    hooks: Any = sys.modules["torch.optim.optimizer"]  # torch.optim deletes its own attribute of that name
    has_hooks = hasattr(hooks, "register_optimizer_step_post_hook")  # since torch 2.0
    _count_optimizers(hooks.Optimizer, tracker, wraps_steps=not has_hooks)
    if not has_hooks:
        return
    is_compiling = compiled.question(torch)
    hooks.register_optimizer_step_pre_hook(lambda *_: None if is_compiling() else tracker.position(KIND["optimizer"]))
    hooks.register_optimizer_step_post_hook(lambda *_: None if is_compiling() else tracker.end_step())


def _count_optimizers(optimizer: Any, tracker: Tracker, wraps_steps: bool) -> None:
    """Note each optimizer that is made; where torch tells of no steps, see them from around each class' own."""
    original = optimizer.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        tracker.optimizers += 1
        kind = type(self)
        if wraps_steps and not hasattr(kind.step, "_counts_steps"):
            kind.step = _counted(kind.step, tracker)

    optimizer.__init__ = __init__


def _counted(step: Callable, tracker: Tracker) -> Callable:
    @functools.wraps(step)
    def observed(*args: object, **kwargs: object) -> object:
        tracker.position(KIND["optimizer"])
        result = step(*args, **kwargs)
        tracker.end_step()
        return result

    observed._counts_steps = True  # type: ignore[attr-defined]
    return observed


def _hook_backward(torch: types.ModuleType, tracker: Tracker) -> None:
    original = torch.autograd.backward
    is_compiling = compiled.question(torch)
    torch.autograd.backward = _between(original, tracker, KIND["backward"], KIND["backward_end"], is_compiling)


def _hook_data(torch: types.ModuleType, tracker: Tracker) -> None:
    module = sys.modules["torch.utils.data.dataloader"]
    iterator = module._BaseDataLoaderIter
    iterator.__next__ = _between(iterator.__next__, tracker, KIND["data"], KIND["batch"])
    create = module.DataLoader.__iter__
    epochs = Epochs(tracker)

    def __iter__(self: object) -> object:
        epochs.begin(self)
        return create(self)

    module.DataLoader.__iter__ = __iter__


class Epochs:
    """Counts epochs: each new pass over the loader that training draws from is one.

    The first loader that is iterated opens epoch 1; the loader in use when a step is done is the training loader.
    """

    def __init__(self, tracker: Tracker) -> None:
        """Start before the first epoch."""
        self._tracker = tracker
        self._training: int | None = None
        self._latest: int | None = None
        self._steps = 0

    def begin(self, loader: object) -> None:
        """Note a new pass over a loader."""
        if self._tracker.steps_done > self._steps:
            self._training, self._steps = self._latest, self._tracker.steps_done
        self._latest = id(loader)
        if self._training in (None, self._latest) and (self._tracker.epoch == 0 or self._training is not None):
            self._tracker.epoch += 1
            self._tracker.position(KIND["epoch"])


def _between(
    original: Callable, tracker: Tracker, begin: int, end: int, is_compiling: Callable[[], bool] = bool
) -> Callable:
    def observed(*args: object, **kwargs: object) -> object:
        if is_compiling():
            return original(*args, **kwargs)
        tracker.position(begin)
        result = original(*args, **kwargs)
        tracker.position(end)
        return result

    observed.__doc__ = original.__doc__
    observed.__wrapped__ = original  # type: ignore[attr-defined]
    return observed
