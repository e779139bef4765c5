"""Once torch is imported: hook forwards, backward, optimizer steps and data loading from outside, set thread counts.

Nothing here imports torch: the module arrives as an argument. A hook that this torch does not have is a Gap.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

from . import steering
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
    _hook_optimizers(torch, tracker, inside)
    _hook_backward(torch, tracker)
    _hook_data(torch, tracker)
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
    tracker.learn_from(torch.is_grad_enabled)
    before, after = tracker.hooks()
    torch.nn.modules.module.register_module_forward_pre_hook(before)
    torch.nn.modules.module.register_module_forward_hook(after)


def _hook_optimizers(torch: types.ModuleType, tracker: Tracker, inside: Lines) -> None:
    hooks = sys.modules["torch.optim.optimizer"]  # torch.optim deletes its own attribute of that name
    if not hasattr(hooks, "register_optimizer_step_post_hook"):
        inside.write(event="gap", probe="optimizer steps", reason=f"torch {torch.__version__} has no global step hook")
        return
    hooks.register_optimizer_step_pre_hook(lambda *_: tracker.position(KIND["optimizer"]))
    hooks.register_optimizer_step_post_hook(lambda *_: tracker.end_step())


def _hook_backward(torch: types.ModuleType, tracker: Tracker) -> None:
    original = torch.autograd.backward
    torch.autograd.backward = _between(original, tracker, KIND["backward"], KIND["backward_end"])


def _hook_data(torch: types.ModuleType, tracker: Tracker) -> None:
    loaders = sys.modules["torch.utils.data.dataloader"]
    iterator = loaders._BaseDataLoaderIter
    iterator.__next__ = _between(iterator.__next__, tracker, KIND["data"], KIND["batch"])
    create = loaders.DataLoader.__iter__
    epochs = Epochs(tracker)

    def __iter__(self: object) -> object:
        epochs.begin(self)
        return create(self)

    loaders.DataLoader.__iter__ = __iter__


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


def _between(original: Callable, tracker: Tracker, begin: int, end: int) -> Callable:
    def observed(*args: object, **kwargs: object) -> object:
        tracker.position(begin)
        result = original(*args, **kwargs)
        tracker.position(end)
        return result

    observed.__doc__ = original.__doc__
    observed.__wrapped__ = original  # type: ignore[attr-defined]
    return observed
