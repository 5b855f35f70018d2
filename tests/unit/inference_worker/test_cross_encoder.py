"""The reranker's model on a tiny base of random weights, held against transformers' own BertModel."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from inference_worker.engine import cross_encoder
from inference_worker.engine.contract import MAX_PAIR_TOKENS, MAX_QUESTION_TOKENS, EngineError, PairScore
from inference_worker.engine.cross_encoder import CrossEncoder, CrossEncoderSettings, multiplies_bfloat16
from inference_worker.engine.weights.e5 import LAYER_MATRICES

WORDS = ["<s>", "<pad>", "</s>", "<unk>", *(f"w{number}" for number in range(60))]
LAYERS, WIDTH, INNER, RANK, SCALE = 2, 16, 32, 3, 2.0
QUESTION = "w1 w2 w3"
TEXTS = ["w9", "w4 w5 w1 w2", "w7 w8 w9 w10 w11 w12 w13 w14", "w20 w21", "w3 w2 w1"]


@pytest.fixture(autouse=True)
def whole_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computed in float32 everywhere, so that results compare."""
    monkeypatch.setattr(cross_encoder, "multiplies_bfloat16", lambda: False)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like that of the packaged embedding model."""
    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        intermediate_size=INNER,
        max_position_embeddings=MAX_PAIR_TOKENS + 2,
        initializer_range=0.5,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "checkpoint.json").write_text(json.dumps({"model": "tiny", "sha256": "a" * 64}))
    return folder


def adapter() -> dict[str, torch.Tensor]:
    """Random weights in the file's layout."""
    generator = torch.Generator().manual_seed(2)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.3

    tensors = {"scale": torch.tensor(SCALE), "head.weight": random(2, 2 * WIDTH), "head.bias": random(2)}
    for layer in range(LAYERS):
        for short in LAYER_MATRICES:
            inputs, outputs = (INNER if short == "fo" else WIDTH), (INNER if short == "fi" else WIDTH)
            tensors |= {
                f"layer.{layer}.{short}.a": random(RANK, inputs),
                f"layer.{layer}.{short}.b": random(outputs, RANK),
            }
    return tensors


Load = Callable[..., CrossEncoder]


@pytest.fixture
def load(base: Path, tmp_path: Path) -> Load:
    """Writes an adapter's file and loads it."""

    def loaded(
        tensors: dict[str, torch.Tensor] | None = None, fold: Callable[[str], str] = str, **about: str
    ) -> CrossEncoder:
        path = tmp_path / "relevance.safetensors"
        known = {"base": "tiny", "base_sha256": "a" * 64, "version": "7", "license": "Apache-2.0", "recipe": "none"}
        save_file(adapter() if tensors is None else tensors, path, metadata=known | about)
        return CrossEncoder(CrossEncoderSettings(base=str(base), weights=path), fold=fold)

    return loaded


def expected(base: Path, question: str, text: str) -> list[float]:
    """The two logits by transformers' BertModel, each map W + scale * b @ a."""
    model, own = BertModel.from_pretrained(base, add_pooling_layer=False).eval(), adapter()
    for layer in range(LAYERS):
        for short, part in LAYER_MATRICES.items():
            weight = model.get_parameter(f"encoder.layer.{layer}.{part}.weight")
            weight.data += SCALE * own[f"layer.{layer}.{short}.b"] @ own[f"layer.{layer}.{short}.a"]
    ids = [WORDS.index(word) for word in ["<s>", *question.split(), "</s>", "</s>", *text.split(), "</s>"]]
    with torch.inference_mode():
        states = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
        pooled = torch.cat([states[0], states.mean(0)])
        return (own["head.weight"] @ pooled + own["head.bias"]).tolist()


def numbers(scores: list[PairScore]) -> list[list[float]]:
    return [[score.relevance, score.answers] for score in scores]


def test_scores_are_those_of_the_merged_model_by_transformers(load: Load, base: Path) -> None:
    wanted = [pytest.approx(expected(base, QUESTION, text), abs=1e-4) for text in TEXTS]
    assert numbers(load().score(QUESTION, TEXTS)) == wanted
    assert len({round(score.relevance, 2) for score in load().score(QUESTION, TEXTS)}) == len(TEXTS)


def test_without_the_adapters_part_the_scores_are_others(load: Load, base: Path) -> None:
    plain = load(adapter() | {"scale": torch.tensor(0.0)}).score(QUESTION, TEXTS[:1])
    assert abs(plain[0].relevance - expected(base, QUESTION, TEXTS[0])[0]) > 0.01


def test_scores_do_not_depend_on_what_else_is_scored(load: Load) -> None:
    model = load()
    together = numbers(model.score(QUESTION, TEXTS * 8))
    alone = [numbers(model.score(QUESTION, [text]))[0] for text in TEXTS]
    assert together == [pytest.approx(each, abs=1e-4) for each in alone] * 8
    assert numbers(model.score(QUESTION, TEXTS[::-1])) == [pytest.approx(each, abs=1e-4) for each in alone[::-1]]


def test_no_text_gives_no_score(load: Load) -> None:
    assert load().score(QUESTION, []) == []


@pytest.mark.parametrize("text", ["", " ", "unknown", "w1 " * 5000])
def test_any_text_has_finite_scores(load: Load, text: str) -> None:
    (score,) = load().score(text, [text])
    assert abs(score.relevance) + abs(score.answers) < 1e6


def test_of_a_long_question_its_end_is_read_and_of_a_long_text_its_beginning(load: Load) -> None:
    model, end = load(), " ".join(["w2"] * MAX_QUESTION_TOKENS)
    room = MAX_PAIR_TOKENS - MAX_QUESTION_TOKENS - 4
    text = " ".join(["w4"] * room)
    assert numbers(model.score(f"w1 w1 {end}", [f"{text} w5 w6"])) == [
        pytest.approx(numbers(model.score(end, [text]))[0])
    ]
    assert numbers(model.score(f"{end} w1", [text])) != numbers(model.score(end, [text]))


def test_both_sides_are_folded(load: Load) -> None:
    model = load(fold=lambda text: text.replace("W", "w"))
    assert model.score("W1 W2 W3", ["W9"]) == model.score("w1 w2 w3", ["w9"])


def test_threads_may_score_at_the_same_time(load: Load) -> None:
    model, found = load(), []
    wanted = numbers(model.score(QUESTION, TEXTS))
    threads = [
        threading.Thread(target=lambda urgent=urgent: found.append(model.score(QUESTION, TEXTS, is_urgent=urgent)))
        for urgent in (True, False, True, False)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [numbers(each) for each in found] == [[pytest.approx(row, abs=1e-5) for row in wanted]] * 4


def test_the_faster_number_type_is_kept(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().info()["precision"] == "float32"
    monkeypatch.setattr(cross_encoder, "multiplies_bfloat16", lambda: True)
    for faster in (torch.bfloat16, torch.float32):
        monkeypatch.setattr(cross_encoder, "_trial_seconds", lambda encoder, best=faster: encoder.number_type != best)
        model = load()
        assert model.info()["precision"] == str(faster).removeprefix("torch.")
        assert model.score(QUESTION, TEXTS)[0].relevance == pytest.approx(
            load().score(QUESTION, TEXTS)[0].relevance, abs=0.2
        )


def test_a_trial_takes_time(load: Load) -> None:
    assert cross_encoder._trial_seconds(load()._encoder) > 0


@pytest.mark.parametrize(("flags", "has"), [("fpu avx512_bf16 sse", True), ("amx_bf16", True), ("fpu avx512f", False)])
def test_what_the_processor_multiplies_is_read_from_its_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, has: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr(cross_encoder.platform, "machine", lambda: "x86_64")
    assert multiplies_bfloat16(tmp_path / "cpuinfo") is has
    assert not multiplies_bfloat16(tmp_path / "nothing")
    monkeypatch.setattr(cross_encoder.platform, "machine", lambda: "aarch64")
    assert not multiplies_bfloat16(tmp_path / "cpuinfo")


def test_the_model_says_what_it_is(load: Load) -> None:
    info = load().info()
    assert (info["model"], info["base"], info["torch"]) == ("relevance", "tiny", torch.__version__)
    assert info["revision"].startswith("7 sha256:")
    changed = load(adapter() | {"head.bias": torch.zeros(2)}).info()
    assert changed["revision"] != info["revision"]


def test_weights_for_another_base_are_refused_with_what_to_do(load: Load) -> None:
    with pytest.raises(EngineError, match=r"another base.*GLASSDESK_RERANKER to packaged or off") as caught:
        load(base_sha256="b" * 64)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({name: part for name, part in adapter().items() if name != "layer.1.fo.b"}, "layer.1.output.dense"),
        (adapter() | {"layer.0.q.a": torch.zeros(RANK, 5)}, "layer.0.attention.self.query"),
        (adapter() | {"layer.0.q.b": torch.zeros(5, RANK)}, "layer.0.attention.self.query"),
        ({name: part for name, part in adapter().items() if name != "head.bias"}, "head.bias missing"),
    ],
)
def test_weights_that_are_not_whole_are_refused(load: Load, tensors: dict[str, torch.Tensor], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        load(tensors)


@pytest.mark.parametrize("content", [None, b"", b"no weights at all"])
def test_a_file_that_cannot_be_read_is_refused(base: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError, match=r"other\.safetensors, which cannot be read as weights"):
        CrossEncoder(CrossEncoderSettings(base=str(base), weights=path), fold=str)
