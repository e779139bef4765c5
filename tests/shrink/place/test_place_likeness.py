"""Whether two deaths are one fault, called from different Python code."""

from __future__ import annotations

import json

import pytest

from harness.facts.crash.frames import Frame
from harness.shrink.place.likeness import Death, Likeness, as_json, compare, from_json

CPU, BINDING, GOMP = "/v/lib/libtorch_cpu.so", "/v/lib/libtorch_python.so", "/v/lib/libgomp-a34b3233.so.1"
KERNEL = Frame("", CPU, offset=0x7AF828B)
LOOP = Frame("at::TensorIteratorBase::serial_for_each(c10::function_ref<void ()>, at::Range) const", CPU, offset=9)
LAMBDA = Frame("", CPU, offset=0x1974558)
EACH = Frame("at::TensorIteratorBase::for_each(long)", CPU, offset=7)
WRAPPER = Frame("", CPU, offset=0x2F52627)
ENTRY = Frame("at::_ops::mul_Tensor::redispatch(at::Tensor const&)", CPU, offset=3)
CALL = Frame("at::_ops::mul_Tensor::call(at::Tensor const&)", CPU, offset=3)
PYTHON = Frame("forward", file="/t/model.py", line=4, native=False)
FROM_TRAINER = (KERNEL, LOOP, EACH, WRAPPER, ENTRY, CALL, Frame("", BINDING, offset=5), PYTHON)
FROM_REPLAY = (KERNEL, LOOP, EACH, WRAPPER, ENTRY, Frame("", CPU, offset=0x6706EE8), Frame("", BINDING, offset=77))
BOXED = Frame("", CPU, offset=0x2F69A8D)
FROM_CAPTURE = (KERNEL, LOOP, EACH, BOXED, Frame("", CPU, offset=0x6706EE8), Frame("", BINDING))
ON_WORKER = (KERNEL, LOOP, LAMBDA, Frame("", GOMP, offset=0x1A0))
ON_CALLER = (KERNEL, LOOP, LAMBDA, Frame("GOMP_parallel", GOMP, offset=70), EACH, WRAPPER, ENTRY, CALL)


def moved(frames: tuple[Frame, ...], by: int) -> tuple[Frame, ...]:
    """Return the frames as another build has them."""
    return tuple(Frame(row.function, row.module, row.file, row.line, (row.offset or 0) + by) for row in frames)


def of(*frames: Frame, how: str = "SIGSEGV") -> Death:
    """Return a death with these frames."""
    return Death(how, frames)


class TestCompare:
    """What counts as the failure that is followed."""

    @pytest.mark.parametrize("other", [FROM_TRAINER, FROM_REPLAY, FROM_CAPTURE])
    def test_python_and_the_dispatcher_do_not_count(self, other: tuple[Frame, ...]) -> None:
        """The same kernel, called by the trainer, by a replay, and under capture."""
        assert compare(of(*FROM_TRAINER), of(*other)) is Likeness.SAME

    def test_either_thread_of_a_parallel_loop_may_find_the_bad_share(self) -> None:
        """Which is first is chance."""
        assert compare(of(*ON_WORKER), of(*ON_CALLER)) is Likeness.SAME

    @pytest.mark.parametrize("frames", [FROM_TRAINER, ON_WORKER])
    def test_another_build_is_alike(self, frames: tuple[Frame, ...]) -> None:
        """The names agree, the places do not."""
        assert compare(of(*frames), of(*moved(frames, 64))) is Likeness.ALIKE

    def test_nameless_frames_elsewhere_are_not_alike(self) -> None:
        """Any two kernels lie in the same library."""
        assert compare(of(KERNEL, LAMBDA), of(*moved((KERNEL, LAMBDA), 64))) is Likeness.DIFFERENT

    @pytest.mark.parametrize(
        "other",
        [
            of(*FROM_TRAINER, how="SIGABRT"),
            of(KERNEL, LOOP, EACH, WRAPPER, Frame("at::_ops::add_Tensor::call(long)", CPU)),
            of(Frame("at::native::ctc_loss_cpu(long)", CPU), *FROM_TRAINER[1:]),
            of(PYTHON),
        ],
    )  # fmt: skip
    def test_other_deaths_are_different(self, other: Death) -> None:
        """Another signal, another operator, another kernel, no kernel at all."""
        assert compare(of(*FROM_TRAINER), other) is Likeness.DIFFERENT

    def test_without_a_stack_there_is_the_signal_alone(self) -> None:
        """SIGKILL leaves none."""
        assert compare(Death("SIGKILL", None), Death("SIGKILL", None)) is Likeness.SIGNAL
        assert compare(of(*FROM_TRAINER), Death("SIGSEGV", None)) is Likeness.SIGNAL

    def test_who_survived_is_like_nobody(self) -> None:
        """Not even like another survivor."""
        assert compare(of(*FROM_TRAINER), None) is Likeness.DIFFERENT
        assert compare(None, None) is Likeness.DIFFERENT


class TestDeath:
    """A death in words and as a record."""

    def test_is_spelt_like_a_signature(self) -> None:
        """Up to the operator."""
        expected = (
            "SIGSEGV: ? (libtorch_cpu.so) < at::TensorIteratorBase::serial_for_each < "
            "at::TensorIteratorBase::for_each < ? (libtorch_cpu.so) < at::_ops::mul_Tensor"
        )
        assert str(of(*FROM_TRAINER)) == expected
        assert str(Death("SIGKILL", None)) == "SIGKILL"

    @pytest.mark.parametrize("death", [of(*FROM_TRAINER), of(*ON_WORKER), of(PYTHON), Death("SIGKILL", None)])
    def test_travels_to_another_machine(self, death: Death) -> None:
        """What is written can be compared with, and tells no path."""
        told = json.loads(json.dumps(as_json(death)))
        assert compare(death, from_json(told)) in (Likeness.SAME, Likeness.SIGNAL)
        assert "/v/lib" not in json.dumps(told)
