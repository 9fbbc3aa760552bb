"""Roots: file inputs reach what is inside the named folders, and nothing else."""

import os

import pytest

from nodeflow.errors import InputError
from nodeflow.roots import Roots


@pytest.fixture
def roots(tmp_path):
    for name in ("models/checkpoints/emoji", "models/loras", "inputs", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "models/checkpoints/emoji/model_index.json").write_text("{}")
    (tmp_path / "models/checkpoints/emoji/weights.bin").write_text("")
    (tmp_path / "models/checkpoints/dream.safetensors").write_text("")
    (tmp_path / "inputs/.hidden").write_text("")
    (tmp_path / "elsewhere/secret.png").write_text("")
    return Roots.of([tmp_path / "models"], tmp_path / "inputs", [], anywhere=False)


def test_a_name_inside_a_root_is_found(roots, tmp_path):
    found = roots.resolve("checkpoints", "dream.safetensors")
    assert found == tmp_path / "models/checkpoints/dream.safetensors"
    assert roots.resolve("checkpoints", "emoji").is_dir()


def test_the_first_folder_hides_later_ones(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "vae").mkdir(parents=True)
        (tmp_path / name / "vae" / "x").write_text(name)
    roots = Roots.of([tmp_path / "one", tmp_path / "two"], tmp_path, [], anywhere=False)
    assert roots.resolve("vae", "x").read_text() == "one"


def test_models_of_packs_are_found(tmp_path):
    (tmp_path / "pack/models/upscalers").mkdir(parents=True)
    (tmp_path / "pack/models/upscalers/x4").write_text("")
    roots = Roots.of([], tmp_path, [tmp_path / "pack", tmp_path / "none"], anywhere=False)
    assert roots.resolve("upscalers", "x4").is_file()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../elsewhere/secret.png", "lies outside"),
        ("a/../../elsewhere/secret.png", "lies outside"),
        ("/etc/passwd", "lies outside"),
        ("a\0b", "is no file name"),
        (".", "is no file name"),
        ("x" * 5000, "there is no"),
        ("~nobody/x", "there is no"),
    ],
)
def test_names_that_leave_a_root_are_refused(roots, name, says):
    with pytest.raises(InputError, match=says):
        roots.resolve("inputs", name)


def test_a_link_that_leads_out_is_refused_with_its_target(roots, tmp_path):
    (tmp_path / "inputs/way_out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="leads out") as caught:
        roots.resolve("inputs", "way_out/secret.png")
    assert str(tmp_path / "elsewhere/secret.png") in str(caught.value)


@pytest.mark.parametrize("target", ["itself.safetensors", "/gone/away.safetensors"])
def test_a_link_that_leads_nowhere_is_named_with_its_target(roots, tmp_path, target):
    link = tmp_path / "models/checkpoints/itself.safetensors"
    link.symlink_to(target)
    with pytest.raises(InputError, match="leads nowhere; put the file itself at") as caught:
        roots.resolve("checkpoints", "itself.safetensors")
    assert f"'itself.safetensors' among the checkpoints is a link to {target}" in str(caught.value)


def test_a_link_into_another_root_is_followed(roots, tmp_path):
    (tmp_path / "models/loras/shared").symlink_to(tmp_path / "models/checkpoints")
    assert roots.resolve("loras", "shared/dream.safetensors").exists()


def test_the_nearest_name_is_said_and_where_it_looked(roots, tmp_path):
    with pytest.raises(InputError) as caught:
        roots.resolve("checkpoints", "drem.safetensor")
    assert str(caught.value) == (
        "there is no 'drem.safetensor' among the checkpoints "
        f"(looked in {tmp_path / 'models/checkpoints'}); the nearest is 'dream.safetensors'"
    )


def test_where_it_looked_is_said_if_nothing_is_near(roots, tmp_path):
    with pytest.raises(InputError, match="looked in") as caught:
        roots.resolve("loras", "anything")
    assert str(tmp_path / "models/loras") in str(caught.value)


def test_the_users_own_shell_may_name_any_path(roots, tmp_path):
    free = Roots(roots.folders, anywhere=True)
    secret = tmp_path / "elsewhere/secret.png"
    assert free.resolve("inputs", str(secret)) == secret
    with pytest.raises(InputError):
        free.resolve("inputs", str(tmp_path / "elsewhere/none.png"))


def test_a_diffusers_folder_counts_as_one_file(roots):
    assert sorted(roots.files("checkpoints")) == ["dream.safetensors", "emoji"]
    assert roots.files("inputs") == []
    assert roots.files("no_such_kind") == []


def test_what_lies_beside_models_is_not_listed_and_found_all_the_same(roots, tmp_path):
    loras = tmp_path / "models/loras"
    names = ("a.safetensors", "b.PT", "put_loras_here", "readme.txt", "a.json", "a.preview.png")
    for name in names:
        (loras / name).write_text("")
    assert roots.files("loras") == ["a.safetensors", "b.PT"]
    assert roots.resolve("loras", "put_loras_here") == loras / "put_loras_here"
    (tmp_path / "inputs/fish.png").write_text("")
    assert roots.files("inputs") == ["fish.png"]


def test_a_pipe_is_no_file(roots, tmp_path):
    for kind in ("models/loras", "inputs"):
        os.mkfifo(tmp_path / kind / "pipe.safetensors")
    assert roots.files("loras") == roots.files("inputs") == []
    with pytest.raises(InputError, match=r"'pipe\.safetensors' among the loras is neither a file"):
        roots.resolve("loras", "pipe.safetensors")


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("unet", "diffusion_models"),
        ("clip", "text_encoders"),
        ("upscale_models", "upscalers"),
        ("sd-1/main", "checkpoints"),
        ("sdxl/lora", "loras"),
        ("any/spandrel_image_to_image", "upscalers"),
        ("any/clip_vision", "clip_vision"),
        ("sd-1/ip_adapter", "ipadapter"),
    ],
)
def test_the_folders_of_other_programs_are_read(tmp_path, folder, kind):
    place = tmp_path / "models"
    for path in (place / folder / "theirs.safetensors", place / kind / "ours.safetensors"):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    roots = Roots.of([place], tmp_path / "inputs", [], anywhere=False)
    assert roots.files(kind) == ["ours.safetensors", "theirs.safetensors"]
    assert roots.resolve(kind, "theirs.safetensors") == place / folder / "theirs.safetensors"


def test_linked_folders_are_listed_once_and_loops_end(tmp_path):
    place, disk = tmp_path / "models" / "loras", tmp_path / "disk" / "loras"
    for folder in (place, disk / "styles"):
        folder.mkdir(parents=True)
    (disk / "styles" / "oil.safetensors").write_bytes(b"")
    (place / "linked").symlink_to(disk)
    (disk / "styles" / "loop").symlink_to(disk)
    (place / "self").symlink_to(place)
    (place / "nowhere").symlink_to(tmp_path / "gone")

    def listed(*folders, anywhere=False):
        return Roots.of(folders, tmp_path / "inputs", [], anywhere=anywhere).files("loras")

    here, there = tmp_path / "models", tmp_path / "disk"
    assert "linked/styles/oil.safetensors" in listed(here, there)
    # Where a link leads out of all folders its files could not be used, so they are not listed.
    assert listed(here) == []
    assert listed(here, anywhere=True) == ["linked/styles/oil.safetensors"]
