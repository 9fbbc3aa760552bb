import json
import os
from pathlib import Path

import pytest

from nodeflow.errors import SettingsError
from nodeflow.settings import Settings, config_path


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("NODEFLOW_"):
            monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))


def write_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    file = tmp_path / "mine" / "settings.toml"
    file.parent.mkdir()
    file.write_text(text)
    monkeypatch.setenv("NODEFLOW_CONFIG", str(file))
    return file


def test_without_any_choice_the_folders_are_the_users_own(tmp_path: Path):
    settings = Settings()

    assert settings.packs == (settings.data / "packs",)
    assert settings.models == (settings.data / "models",)
    assert settings.inputs == settings.data / "inputs"
    assert settings.disk == 20_000_000_000
    assert settings.history == 2_000_000_000
    assert settings.history_days == 90
    assert 1 <= settings.cpu_threads <= 4
    assert 0 < settings.memory < settings.model_memory
    for folder in (settings.cache, settings.data, *settings.packs):
        assert folder.is_absolute()


def test_making_settings_makes_no_folder(tmp_path: Path):
    settings = Settings()

    assert not settings.data.exists()
    assert not settings.cache.exists()


def test_variables_name_several_folders_as_path_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NODEFLOW_PACKS", os.pathsep.join(["/a", "/b c", ""]))

    assert Settings().packs == (Path("/a"), Path("/b c"))


def test_a_tilde_means_the_users_home(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NODEFLOW_MODELS", "~/pictures")

    assert Settings().models == (Path.home() / "pictures",)


@pytest.mark.parametrize(
    ("text", "size"),
    [("8GB", 8_000_000_000), ("512 MB", 512_000_000), ("1GiB", 1 << 30), ("100", 100), ("0", 0)],
)
def test_a_budget_may_be_written_with_its_unit(
    monkeypatch: pytest.MonkeyPatch, text: str, size: int
):
    monkeypatch.setenv("NODEFLOW_MEMORY", text)

    assert Settings().memory == size


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("NODEFLOW_MEMORY", "plenty"),
        ("NODEFLOW_DISK", "-5"),
        ("NODEFLOW_CPU_THREADS", "0"),
        ("NODEFLOW_CPU_THREADS", "two"),
        ("NODEFLOW_HISTORY", "-1"),
        ("NODEFLOW_HISTORY_DAYS", "-1"),
        ("NODEFLOW_HISTORY_DAYS", "inf"),
        ("NODEFLOW_HISTORY_DAYS", "ever"),
        ("NODEFLOW_COMPILE", "block"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
):
    monkeypatch.setenv(variable, text)

    with pytest.raises(SettingsError) as caught:
        Settings()

    assert variable in str(caught.value)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "how"),
    [("1", True), ("true", True), ("0", False), ("no", False), ("blocks", "blocks")],
)
def test_networks_are_compiled_whole_or_by_blocks_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, how: object
):
    monkeypatch.setenv("NODEFLOW_COMPILE", text)
    assert Settings().compile == how
    monkeypatch.delenv("NODEFLOW_COMPILE")
    write_config(tmp_path, monkeypatch, f"compile = {json.dumps(how)}")
    assert Settings().compile == how


def test_how_else_networks_could_be_compiled_is_asked_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NODEFLOW_COMPILE", "regions")
    with pytest.raises(SettingsError) as caught:
        Settings()
    assert str(caught.value) == (
        "The setting 'compile' in the variable NODEFLOW_COMPILE cannot be 'regions': write true, "
        "false or blocks."
    )


def test_a_misspelt_variable_is_refused_with_the_right_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NODEFLOW_MEMROY", "1GB")

    with pytest.raises(SettingsError, match=r"NODEFLOW_MEMROY .* Did you mean NODEFLOW_MEMORY\?"):
        Settings()


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NODEFLOW_MEMORY", "plenty")
    monkeypatch.setenv("NODEFLOW_WHATEVER_THIS_IS", "1")

    with pytest.raises(SettingsError) as caught:
        Settings()

    assert len(str(caught.value).splitlines()) == 2


def test_the_file_is_in_the_users_config_folder(tmp_path: Path):
    assert config_path().name == "nodeflow.toml"
    config_path().parent.mkdir(parents=True)
    config_path().write_text('disk = "1GB"')

    assert Settings().disk == 1_000_000_000


def test_a_variable_outranks_the_file_and_the_call_outranks_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_config(tmp_path, monkeypatch, 'disk = "1GB"\nmemory = 1\ncpu_threads = 3')
    monkeypatch.setenv("NODEFLOW_DISK", "2GB")
    monkeypatch.setenv("NODEFLOW_MEMORY", "2")

    settings = Settings(memory=3)

    assert (settings.cpu_threads, settings.disk, settings.memory) == (3, 2_000_000_000, 3)


def test_relative_folders_in_the_file_are_meant_from_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = write_config(tmp_path, monkeypatch, 'packs = ["packs", "/abs"]\ncache = "../cache"')

    settings = Settings()

    assert settings.packs == (file.parent / "packs", Path("/abs"))
    assert settings.cache.resolve() == (tmp_path / "cache").resolve()


@pytest.mark.parametrize("text", ['disk = "1GB', "\x00", "cach = 1", "disk = [1]", "packs = [1]"])
def test_a_bad_file_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
):
    file = write_config(tmp_path, monkeypatch, text)

    with pytest.raises(SettingsError) as caught:
        Settings()

    assert str(file) in str(caught.value)


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NODEFLOW_CONFIG", str(tmp_path / "absent.toml"))

    with pytest.raises(SettingsError, match=r"absent\.toml.*does not exist"):
        Settings()


def test_settings_cannot_be_changed_afterwards():
    settings = Settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.disk = 1  # type: ignore[misc,assignment]
