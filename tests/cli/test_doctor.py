import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodeflow.cli.doctor import (
    check_devices,
    check_disk,
    check_folders,
    check_libraries,
    check_memory,
    check_python,
    check_torch,
    is_writable,
)
from nodeflow.errors import SettingsError
from nodeflow.settings import Settings

TORCH = {"version": "2.14.1", "built": None, "cuda": [], "mps": False}


def probe(stdout: str = "", stderr: str = "", code: int = 0):
    return lambda: subprocess.CompletedProcess([], code, stdout, stderr)


def test_an_old_python_is_an_error_with_a_way_out():
    check = check_python((3, 10, 4))

    assert check.status == "error"
    assert "3.10.4" in check.sentence
    assert check.way_out


def test_this_python_is_fine():
    assert check_python((3, 11, 0)).status == "ok"


def test_absent_and_unfit_libraries_are_named_each():
    found = list(
        check_libraries(["pytest>=1", "no-such-library>=2", "typer<0.1", 'other; extra == "dev"'])
    )

    assert [check.status for check in found] == ["error", "error"]
    assert "no-such-library is not installed" in found[0].sentence
    assert "<0.1 is needed" in found[1].sentence
    assert 'pip install "typer<0.1"' in found[1].way_out


def test_all_libraries_that_fit_are_one_line():
    assert [check.status for check in check_libraries(["pytest>=1", "typer"])] == ["ok"]


def test_torch_that_works_says_what_it_computes_on():
    check = check_torch(probe(json.dumps(TORCH)))

    assert (check.status, check.sentence) == ("ok", "torch 2.14.1 computes on the CPU.")


def test_a_gpu_is_named():
    check = check_torch(probe("noise\n" + json.dumps(TORCH | {"cuda": ["A100"]})))

    assert check.sentence == "torch 2.14.1 computes on A100."


def test_a_gpu_that_torch_cannot_see_is_a_warning(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    check = check_torch(probe(json.dumps(TORCH)))

    assert check.status == "warning"
    assert "driver" in check.way_out


@pytest.mark.parametrize("code", [1, -11])
def test_a_torch_that_does_not_import_is_an_error(code):
    check = check_torch(probe(stderr="Traceback\nImportError: libcudart", code=code))

    assert check.status == "error"
    assert "ImportError: libcudart" in check.sentence


def test_a_torch_that_hangs_is_an_error():
    def hang() -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired("python", 180)

    assert check_torch(hang).status == "error"


def test_the_precision_of_each_device_is_told_with_what_was_measured(tmp_path, monkeypatch):
    class Probe:
        @staticmethod
        def devices():
            return ["cuda:0", "cuda:1", "cpu"]

        @staticmethod
        def probe(device, precision):
            if device == "cuda:1":
                raise SettingsError("The device 'cuda:1' cannot be used here: it is busy")
            name = "cuda:0" if device == "auto" else device
            half = name != "cpu"
            return {
                "name": name,
                "kind": "A100" if half else "AVX2",
                "precision": "bf16" if half else "fp32",
                "reason": "the GPU computes in it itself" if half else "a convolution took 4 ms",
                "attention": "flash kernel",
            }

    monkeypatch.setitem(sys.modules, "nodeflow.probe", Probe)

    first, busy, cpu = check_devices(Settings(cache=tmp_path, data=tmp_path))

    assert first.sentence.startswith("cuda:0 (A100), taken by default, computes in bf16: the GPU")
    assert (busy.status, busy.sentence[:22]) == ("error", "The device 'cuda:1' ca")
    assert "taken with --device cpu, computes in fp32: a convolution took 4 ms." in cpu.sentence


def test_folders_that_can_be_made_are_fine(tmp_path):
    settings = Settings(cache=tmp_path / "a" / "b", data=tmp_path / "data")

    assert [check.status for check in check_folders(settings)] == ["ok", "ok"]
    assert not (tmp_path / "a").exists()


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    settings = Settings(cache=tmp_path / "file" / "cache", data=tmp_path)

    check = next(iter(check_folders(settings)))

    assert check.status == "error"
    assert "NODEFLOW_CACHE" in check.way_out


def test_a_folder_that_others_own_is_not_writable(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)

    assert not is_writable(tmp_path)


def test_a_named_folder_that_is_absent_is_a_warning(tmp_path):
    settings = Settings(data=tmp_path, models=(tmp_path / "typo",))

    warnings = [check for check in check_folders(settings) if check.status == "warning"]

    assert len(warnings) == 1
    assert "NODEFLOW_MODELS" in warnings[0].way_out


def test_little_disk_is_a_warning(tmp_path: Path):
    settings = Settings(cache=tmp_path / "cache")

    assert check_disk(settings, lambda _folder: 10**6).status == "warning"
    assert check_disk(settings, lambda _folder: 10**12).status == "ok"


def test_budgets_beyond_the_machine_are_a_warning():
    settings = Settings(memory="6GB", model_memory="6GB")

    assert check_memory(settings, 8 * 10**9).status == "warning"
    assert check_memory(settings, 16 * 10**9).status == "ok"


def test_the_command_finds_nothing_wrong_here_and_says_so_as_json(nodeflow):
    said = nodeflow("doctor", "--json")

    found = json.loads(said.out)
    errors = [check for check in found["checks"] if check["status"] == "error"]
    assert errors == []
    assert (said.code, found["ok"]) == (0, True)
    devices = [check["sentence"] for check in found["checks"] if check["name"] == "devices"]
    assert " taken by default, computes in " in devices[0]
    assert "--precision fp32, bf16 or fp16 overrides it" in devices[0]
    assert "Attention: scaled_dot_product_attention of torch, " in devices[0]
    assert {"python", "libraries", "torch", "devices", "folders", "disk", "memory", "packs"} == {
        check["name"] for check in found["checks"]
    }


def test_a_broken_pack_is_named_and_ends_with_1(nodeflow, tmp_path):
    pack = tmp_path / "data" / "packs" / "broken_pack"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text("from nodeflow import node\nimport no_such_module_at_all\n")

    said = nodeflow("doctor")

    assert said.code == 1
    assert "broken_pack" in said.out
    assert "no_such_module_at_all" in said.out


def test_wrong_settings_are_told_and_the_rest_too(nodeflow, monkeypatch):
    monkeypatch.setenv("NODEFLOW_DISK", "much")

    said = nodeflow("doctor")

    assert said.code == 1
    assert "NODEFLOW_DISK" in said.out
    assert "Python 3" in said.out
