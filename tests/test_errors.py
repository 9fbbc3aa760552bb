"""Errors: what counts as too little memory."""

from __future__ import annotations

import pytest
import torch

from nodeflow import InputError, is_out_of_memory


def allocation_error() -> RuntimeError:
    """What the CPU's allocator really raises."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.OutOfMemoryError("Tried to allocate 20.00 GiB"), allocation_error()],
    ids=["Python", "GPU", "CPU"],
)
def test_errors_of_too_little_memory_are_known(error: Exception) -> None:
    assert is_out_of_memory(error)


def test_a_file_that_cannot_be_read_for_want_of_memory_is_no_broken_file() -> None:
    error = InputError("the weights cannot be read")
    error.__cause__ = allocation_error()
    assert is_out_of_memory(error)
    error.__cause__ = OSError()
    assert not is_out_of_memory(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes do not fit"), ValueError("can't allocate memory"), OSError()]
)
def test_other_errors_are_not(error: Exception) -> None:
    assert not is_out_of_memory(error)
