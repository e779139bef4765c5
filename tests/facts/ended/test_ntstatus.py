"""The table of Windows exit codes; it is read on every system."""

from __future__ import annotations

import pytest

from harness.facts.ended.ntstatus import ENDED_BY_HARNESS, NTSTATUS, SENTENCES, is_status, meaning


class TestTable:
    """The names and sentences."""

    @pytest.mark.parametrize(
        ("value", "name"),
        [
            (0xC0000005, "STATUS_ACCESS_VIOLATION"),
            (0xC0000006, "STATUS_IN_PAGE_ERROR"),
            (0xC0000017, "STATUS_NO_MEMORY"),
            (0xC000001D, "STATUS_ILLEGAL_INSTRUCTION"),
            (0xC0000094, "STATUS_INTEGER_DIVIDE_BY_ZERO"),
            (0xC0000096, "STATUS_PRIVILEGED_INSTRUCTION"),
            (0xC00000FD, "STATUS_STACK_OVERFLOW"),
            (0xC000012D, "STATUS_COMMITMENT_LIMIT"),
            (0xC0000135, "STATUS_DLL_NOT_FOUND"),
            (0xC000013A, "STATUS_CONTROL_C_EXIT"),
            (0xC0000142, "STATUS_DLL_INIT_FAILED"),
            (0xC0000374, "STATUS_HEAP_CORRUPTION"),
            (0xC0000409, "STATUS_STACK_BUFFER_OVERRUN"),
            (0x80000003, "STATUS_BREAKPOINT"),
            (0xE06D7363, "MSVC_CPP_EXCEPTION"),
        ],
    )
    def test_names_the_statuses_that_end_programs(self, value: int, name: str) -> None:
        """Each value has the name of Microsoft's table."""
        assert NTSTATUS[value] == name

    def test_no_name_stands_twice(self) -> None:
        """A name tells one value."""
        assert len(set(NTSTATUS.values())) == len(NTSTATUS)

    def test_every_name_has_a_sentence(self) -> None:
        """No status is left without a meaning."""
        assert SENTENCES.keys() == NTSTATUS.keys()
        assert all(SENTENCES.values())

    def test_every_entry_is_in_the_range_of_statuses(self) -> None:
        """The table and `is_status` agree."""
        assert all(is_status(value) for value in NTSTATUS)


class TestIsStatus:
    """Which codes are statuses."""

    @pytest.mark.parametrize("code", [0x40000000, 0x80000003, 0xC0000005, 0xE06D7363])
    def test_a_status(self, code: int) -> None:
        """From 0x40000000 on."""
        assert is_status(code)

    @pytest.mark.parametrize("code", [0, 1, 3, 259, 0x3FFFFFFF, ENDED_BY_HARNESS])
    def test_an_ordinary_number(self, code: int) -> None:
        """Below that, and the harness' own code."""
        assert not is_status(code)

    @pytest.mark.parametrize("code", [-1, -2, -255])
    def test_a_negative_number_is_the_programs_own(self, code: int) -> None:
        """sys.exit(-1) is 0xFFFFFFFF to the system."""
        assert not is_status(code & 0xFFFFFFFF)


class TestMeaning:
    """One sentence for any code."""

    def test_a_known_status(self) -> None:
        """The name, the value and the sentence."""
        assert meaning(0xC00000FD) == "STATUS_STACK_OVERFLOW (0xC00000FD): a thread's stack was used up"

    def test_an_unknown_status(self) -> None:
        """It is said to be unknown."""
        assert meaning(0xC0001234) == "0xC0001234: an NTSTATUS without an entry in this table"

    def test_code_3_is_not_called_an_exit(self) -> None:
        """It names abort() first, and says that the code does not decide."""
        assert "abort()" in meaning(3)
        assert "does not tell which" in meaning(3)

    def test_a_negative_number(self) -> None:
        """It is shown as the program wrote it."""
        assert meaning(0xFFFFFFFF) == "exit code -1: the program's own negative number"

    def test_still_active_is_a_real_code(self) -> None:
        """259 is nothing special."""
        assert meaning(259) == "exit code 259: the program's own number"

    def test_the_harness_own_code(self) -> None:
        """It says who ended the process."""
        assert meaning(ENDED_BY_HARNESS) == "the harness ended the process"
