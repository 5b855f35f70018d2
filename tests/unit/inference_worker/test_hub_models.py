"""A hub's model comes whole and right, or not at all, and a cut one goes on where it ended."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk.embedded import chat_model
from inference_worker.engine.weights import hub
from inference_worker.engine.weights.checkpoints import resolve_model
from inference_worker.engine.weights.hub import Access, HubError, download, downloaded
from tests.unit.inference_worker.fake_hub import MODEL, REVISION, FakeHub, serving

WEIGHTS = f"/{MODEL}/resolve/{REVISION}/model.safetensors"


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    with serving(FakeHub()) as running:
        yield running


def access(fake: FakeHub, **patience: float) -> Access:
    return Access(endpoint=fake.endpoint, **{"answer": 5.0, "silence": 5.0} | patience)


def test_model_comes_whole_with_progress_and_is_served_under_its_name(fake: FakeHub, tmp_path: Path) -> None:
    steps: list[float] = []
    folder = download(tmp_path, MODEL, access=access(fake), progress=lambda step, share: steps.append(share))
    assert (folder / "model.safetensors").read_bytes() == fake.large["model.safetensors"]
    assert (folder / "config.json").read_bytes() == b"{}"
    assert steps == sorted(steps)
    assert (steps[0], steps[-1], len(set(steps)) > 2) == (0.0, 1.0, True)
    manifest = json.loads((folder / "checkpoint.json").read_text())
    assert (manifest["license"], manifest["hub_revision"]) == ("maker-research", REVISION)
    resolved = resolve_model(MODEL, tmp_path)
    assert (resolved.location, resolved.name, resolved.revision) == (str(folder), MODEL, REVISION)
    assert not (tmp_path / "downloads" / folder.name).exists()


def test_model_that_is_there_is_taken_without_asking(fake: FakeHub, tmp_path: Path) -> None:
    folder = download(tmp_path, MODEL, access=access(fake))
    fake.asked.clear()
    assert download(tmp_path, MODEL, access=access(fake)) == folder
    assert download(tmp_path, MODEL, revision=REVISION, access=access(fake)) == folder
    assert fake.asked == []
    assert downloaded(tmp_path, MODEL, "another") is None


@pytest.mark.parametrize("cut_after", [1, 1024, 100_000])
def test_cut_download_goes_on_where_it_ended(fake: FakeHub, tmp_path: Path, cut_after: int) -> None:
    fake.cut_after = cut_after
    with pytest.raises(HubError, match=r"the connection to the hub ended at model\.safetensors"):
        download(tmp_path, MODEL, access=access(fake))
    assert downloaded(tmp_path, MODEL) is None
    assert not (tmp_path / "checkpoints" / f"hub--{MODEL.replace('/', '--')}").exists()
    fake.cut_after = None
    fake.asked.clear()
    folder = download(tmp_path, MODEL, access=access(fake))
    assert (WEIGHTS, f"bytes={cut_after}-") in fake.asked
    assert [path for path, _ in fake.asked if path.endswith("config.json")] == []
    assert (folder / "model.safetensors").read_bytes() == fake.large["model.safetensors"]


def test_hub_that_ignores_where_to_go_on_sends_the_whole_again(fake: FakeHub, tmp_path: Path) -> None:
    fake.cut_after = 2048
    with pytest.raises(HubError):
        download(tmp_path, MODEL, access=access(fake))
    fake.cut_after, fake.ignores_range = None, True
    folder = download(tmp_path, MODEL, access=access(fake))
    assert (folder / "model.safetensors").read_bytes() == fake.large["model.safetensors"]


def test_wrong_contents_are_refused_and_not_kept(fake: FakeHub, tmp_path: Path) -> None:
    fake.corrupt = True
    with pytest.raises(HubError, match=r"what the hub sent as model\.safetensors is not what it lists"):
        download(tmp_path, MODEL, access=access(fake))
    assert list((tmp_path / "downloads").rglob("model.safetensors*")) == []
    fake.corrupt = False
    assert download(tmp_path, MODEL, access=access(fake)).is_dir()


def test_small_files_are_checked_too(fake: FakeHub, tmp_path: Path) -> None:
    listed = fake.listing()
    fake.files["config.json"] = b"[]"  # as long as what is listed
    fake.listing = lambda: listed  # type: ignore[method-assign]
    with pytest.raises(HubError, match=r"what the hub sent as config\.json is not what it lists"):
        download(tmp_path, MODEL, access=access(fake))


def test_more_than_listed_is_not_written(fake: FakeHub, tmp_path: Path) -> None:
    fake.surplus = b"x" * 4096
    with pytest.raises(HubError, match=r"the hub sends more of model\.safetensors than it lists"):
        download(tmp_path, MODEL, access=access(fake))
    written = next((tmp_path / "downloads").rglob("model.safetensors.incomplete"))
    assert written.stat().st_size <= len(fake.large["model.safetensors"])


def test_redirected_files_are_followed(fake: FakeHub, tmp_path: Path) -> None:
    fake.redirects = True
    assert download(tmp_path, MODEL, access=access(fake)).is_dir()
    assert f"/elsewhere{WEIGHTS}" in [path for path, _ in fake.asked]


def test_hub_that_does_not_answer_is_not_waited_for(fake: FakeHub, tmp_path: Path) -> None:
    fake.silent = True
    with pytest.raises(HubError, match="the hub did not answer within 0 seconds"):
        download(tmp_path, MODEL, access=access(fake, answer=0.2))


def test_hub_that_falls_silent_in_a_file_is_not_waited_for(fake: FakeHub, tmp_path: Path) -> None:
    fake.slow = 60.0
    with pytest.raises(HubError, match=r"the connection to the hub ended at model\.safetensors"):
        download(tmp_path, MODEL, access=access(fake, silence=0.3))


def test_hub_that_drips_is_given_up(fake: FakeHub, tmp_path: Path) -> None:
    fake.slow = 0.05
    with pytest.raises(HubError, match="the hub is too slow now"):
        download(tmp_path, MODEL, access=access(fake, trial=0.2, whole=0.5))
    fake.slow = 0.0
    assert download(tmp_path, MODEL, access=access(fake)).is_dir()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"refusing": 401}, r"the hub refused it \(HTTP 401\)"),
        ({"refusing": 404}, r"the hub refused it \(HTTP 404\)"),
        ({"refusing": 503}, r"the hub refused it \(HTTP 503\)"),
        ({"missing": 404}, r"the hub refused model\.safetensors \(HTTP 404\)"),
        ({"large": {}}, "no checkpoint with safetensors"),
        ({"files": {}}, "no checkpoint with safetensors"),
    ],
)
def test_refusals_say_why(fake: FakeHub, tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    for name, value in wrong.items():
        setattr(fake, name, value)
    with pytest.raises(HubError, match=said):
        download(tmp_path, MODEL, access=access(fake))
    assert downloaded(tmp_path, MODEL) is None


def test_hub_that_is_not_there_is_said(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(HubError, match="the hub cannot be reached"):
        download(tmp_path, MODEL, access=Access(endpoint=endpoint))


def test_only_weights_and_their_description_are_taken_and_nothing_outside_the_folder(
    fake: FakeHub, tmp_path: Path
) -> None:
    fake.extra = [
        {"rfilename": name, "size": 4, "blobId": "2" * 40}
        for name in ("../outside.json", "code/modeling.py", "modeling.py", "pytorch_model.bin", "checkpoint.json")
    ]
    folder = download(tmp_path, MODEL, access=access(fake))
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint.json",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert list(tmp_path.rglob("outside.json")) == []


def test_full_disk_is_said_before_anything_is_fetched(
    fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SPARE_BYTES", 1 << 60)
    with pytest.raises(hub.PackagedWeightsError, match="GB are left"):
        download(tmp_path, MODEL, access=access(fake))
    assert [path for path, _ in fake.asked] == [f"/api/models/{MODEL}"]


def test_offline_switch_asks_nobody(fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        download(tmp_path, MODEL, access=access(fake))
    assert fake.asked == []


# --- What a start makes of it --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "cpu_engine", "cores", "expected"),
    [
        ("", True, 2, ""),
        ("", True, 7, ""),
        ("", True, 8, hub.STRONGER),
        ("", False, 1, hub.STRONGER),
        ("packaged", False, 64, ""),
        ("packaged:int8", False, 64, ""),
        ("/models/own", False, 64, ""),
        ("owner/other", True, 2, "owner/other"),
        ("none", True, 64, ""),
    ],
)
def test_a_stronger_model_is_tried_where_it_can_be_computed_and_nobody_chose_another(
    setting: str, cpu_engine: bool, cores: int, expected: str
) -> None:
    assert chat_model.model_of_hub(setting, cpu_engine=cpu_engine, cores=cores) == expected


def test_a_start_goes_on_in_one_sentence_when_the_hub_fails_half_way(fake: FakeHub, tmp_path: Path) -> None:
    fake.cut_after = 4096
    taken = chat_model.take(MODEL, tmp_path, revision="", progress=lambda *_: None, access=access(fake))
    assert taken == chat_model.Taken(
        None,
        "maker/model is not served now: the connection to the hub ended at model.safetensors. The packaged model is, "
        "which only quotes; the next start goes on.",
    )
    fake.cut_after = None
    again = chat_model.take(MODEL, tmp_path, revision="", progress=lambda *_: None, access=access(fake))
    assert again == chat_model.Taken(
        downloaded(tmp_path, MODEL),
        "maker/model is served; its licence is maker-research, which may restrict commercial use: read it before customers "
        "are answered by it.",
    )


def test_a_model_whose_licence_may_restrict_its_use_is_not_taken_unasked(fake: FakeHub, tmp_path: Path) -> None:
    def take() -> chat_model.Taken:
        return chat_model.take(
            MODEL, tmp_path, revision="", only_free=True, progress=lambda *_: None, access=access(fake)
        )

    refused = chat_model.Taken(
        None,
        "maker/model is not served now: its licence is maker-research, and such a model is taken only when "
        "GLASSDESK_CHAT_MODEL names it. The packaged model is, which only quotes; the next start goes on.",
    )
    assert (take(), [path for path, _ in fake.asked if "/resolve/" in path]) == (refused, [])
    download(tmp_path, MODEL, access=access(fake))
    assert take() == refused


@pytest.mark.parametrize("license", ["apache-2.0", "mit", "bsd-3-clause"])
def test_a_model_under_a_free_licence_is_taken_unasked_and_its_licence_said(
    fake: FakeHub, tmp_path: Path, license: str
) -> None:
    fake.card = {"license": license}
    taken = chat_model.take(MODEL, tmp_path, revision="", only_free=True, progress=lambda *_: None, access=access(fake))
    assert taken == chat_model.Taken(downloaded(tmp_path, MODEL), f"maker/model is served; its licence is {license}.")


def test_a_start_goes_on_when_the_cache_cannot_be_written(fake: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    taken = chat_model.take(MODEL, tmp_path / "cache", revision="", progress=lambda *_: None, access=access(fake))
    assert taken.folder is None
    assert "could not be written" in taken.said
