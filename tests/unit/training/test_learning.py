"""Learning with a tiny model, and the file that comes of it."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from inference_worker.engine.weights.checkpoints import EMBEDDINGS
from inference_worker.engine.weights.e5 import LAYER_MATRICES
from training.relevance.adapter import BadAdapter, adapter_tensors, load_adapter, write_adapter
from training.relevance.corpus import HELP_CENTRES
from training.relevance.cross_encoder import CrossEncoder, encoded, load_tokenizer
from training.relevance.examples import Example
from training.relevance.groups import Drawing, Group, as_typed, batches, mined
from training.relevance.learning import Stage, learn, losses
from training.relevance.train import train

WORDS = ["<s>", "<pad>", "</s>", "<unk>", *(f"w{number}" for number in range(40))]
CONFIG = BertConfig(
    vocab_size=len(WORDS),
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    max_position_embeddings=32,
    type_vocab_size=1,
    attn_implementation="eager",
)


@pytest.fixture
def tokenizer(tmp_path: Path) -> Any:
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    made.save(str(tmp_path / "tokenizer.json"))
    return load_tokenizer(tmp_path, most_tokens=24)


@pytest.fixture
def model() -> CrossEncoder:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return CrossEncoder(BertModel(CONFIG, add_pooling_layer=False), rank=4)


def examples() -> list[Example]:
    """Twenty questions, each answered by the text with its word; every other one is open."""
    texts = [f"w{number} w{(number * 7) % 20 + 20}" for number in range(20)]
    return [
        Example(
            question=f"w{number}",
            answers=() if number % 2 else (texts[number],),
            same=tuple(text for text in texts if text != texts[number])[:6],
            far=tuple(text for text in texts if text != texts[number])[6:12],
            is_help_centre=True,
        )
        for number in range(20)
    ]


def test_a_model_that_has_learned_nothing_is_the_base(model: CrossEncoder, tokenizer: Any) -> None:
    ids, mask = encoded(tokenizer, [("w1 w2", "w3"), ("w1", "w2 w3 w4 w5")])
    torch.manual_seed(0)
    base = BertModel(CONFIG, add_pooling_layer=False).eval()
    with torch.inference_mode():
        wanted = base(input_ids=ids, attention_mask=mask).last_hidden_state
        assert torch.allclose(model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state, wanted, atol=1e-5)
        alone = encoded(tokenizer, [("w1 w2", "w3")])
        assert torch.allclose(model(ids, mask)[:1], model(*alone), atol=1e-5)
    assert ids[0].tolist()[:8] == [0, 5, 6, 2, 2, 7, 2, 1]


def test_learning_lowers_both_losses_and_leaves_the_base_alone(model: CrossEncoder, tokenizer: Any) -> None:
    before = model.encoder.embeddings.word_embeddings.weight.clone()
    chance = Random(0)
    groups = Drawing({HELP_CENTRES: mined(examples(), chance)}, chance).groups({HELP_CENTRES: 1.0})
    taken = cycle([[next(groups) for _ in range(20)]])
    found = list(learn(model, tokenizer, taken, rate=2e-2, done=lambda step: step / 60))
    assert len(found) == 60
    assert found[-1].answers < 0.7 * found[0].answers
    assert found[-1].relevance < 0.7 * found[0].relevance
    assert torch.equal(model.encoder.embeddings.word_embeddings.weight, before)


def test_losses_are_those_of_the_answer_against_the_others() -> None:
    groups = [Group("q", "right", ("a", "b")), Group("open", None, ("c",))]
    logits = torch.tensor([[2.0, 3.0], [0.0, -1.0], [1.0, 0.0], [5.0, -2.0]])
    answers, relevance = losses(logits, groups)
    expected = torch.tensor([1.6 * 0.0485874, 0.3132617, 0.6931472, 0.1269280]).mean()
    assert float(answers) == pytest.approx(float(expected), abs=1e-5)
    assert float(relevance) == pytest.approx(-float(torch.log_softmax(torch.tensor([2.0, 0.0, 1.0]), 0)[0]), abs=1e-5)
    assert float(losses(logits[3:], groups[1:])[1]) == 0


def test_the_file_holds_what_was_learned(model: CrossEncoder, tokenizer: Any, tmp_path: Path) -> None:
    with torch.no_grad():
        for parameter in model.learned():
            parameter.copy_(torch.randn(parameter.shape) * 0.3)
    path = tmp_path / "relevance.safetensors"
    write_adapter(path, adapter_tensors(model), version="3")
    with safe_open(path, framework="pt") as file:
        about, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert about == {
        "base": "multilingual-e5-small",
        "base_sha256": EMBEDDINGS.sha256,
        "version": "3",
        "license": "Apache-2.0",
        "recipe": "training/relevance",
    }
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert path.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.glob("*relevance*")] == ["relevance.safetensors"]

    torch.manual_seed(0)
    merged = BertModel(CONFIG, add_pooling_layer=False).eval()
    with torch.inference_mode():
        for layer in range(CONFIG.num_hidden_layers):
            for short, part in LAYER_MATRICES.items():
                a, b = (tensors[f"layer.{layer}.{short}.{side}"].float() for side in ("a", "b"))
                weight = merged.get_parameter(f"encoder.layer.{layer}.{part}.weight")
                weight += float(tensors["scale"]) * (b @ a)
        ids, mask = encoded(tokenizer, [("w1 w2", "w3 w9"), ("w7", "w8 w12 w30 w31")])
        states = merged(input_ids=ids, attention_mask=mask).last_hidden_state
        mean = torch.stack([row[keep.bool()].mean(0) for row, keep in zip(states, mask, strict=True)])
        logits = torch.cat([states[:, 0], mean], 1) @ tensors["head.weight"].float().T + tensors["head.bias"].float()
        assert torch.allclose(logits, model(ids, mask), atol=2e-2)


def test_a_run_goes_on_from_an_earlier_file(model: CrossEncoder, tokenizer: Any, tmp_path: Path) -> None:
    with torch.no_grad():
        for parameter in model.learned():
            parameter.copy_(torch.randn(parameter.shape) * 0.3)
    write_adapter(tmp_path / "first.safetensors", adapter_tensors(model), version="1")
    torch.manual_seed(0)
    later = CrossEncoder(BertModel(CONFIG, add_pooling_layer=False), rank=4)
    load_adapter(later, tmp_path / "first.safetensors")
    pair = encoded(tokenizer, [("w1 w2", "w3 w9")])
    with torch.inference_mode():
        assert torch.allclose(later(*pair), model(*pair), atol=2e-2)


@pytest.mark.parametrize("content", [None, b"", b"other"])
def test_a_run_does_not_go_on_from_another_file(model: CrossEncoder, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "first.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadAdapter, match="is no file of this recipe"):
        load_adapter(model, path)


def test_a_run_does_not_go_on_from_a_file_of_another_rank(model: CrossEncoder, tmp_path: Path) -> None:
    write_adapter(tmp_path / "first.safetensors", adapter_tensors(model), version="1")
    other = CrossEncoder(BertModel(CONFIG, add_pooling_layer=False), rank=2)
    with pytest.raises(BadAdapter, match="is no file of this recipe"):
        load_adapter(other, tmp_path / "first.safetensors")


def test_frozen_layers_stay_as_they_are(model: CrossEncoder, tokenizer: Any) -> None:
    model.freeze_below(1)
    before = {key: part.b.clone() for key, part in model.parts.items()}
    chance = Random(0)
    groups = Drawing({HELP_CENTRES: mined(examples(), chance)}, chance).groups({HELP_CENTRES: 1.0})
    taken = cycle([[next(groups) for _ in range(4)]])
    list(learn(model, tokenizer, taken, rate=1e-2, done=lambda step: step / 4))
    changed = {
        number for (number, short), part in model.parts.items() if not torch.equal(part.b, before[number, short])
    }
    assert changed == {1}


def test_questions_are_read_as_customers_type_them() -> None:
    chance = Random(2)
    typed = {as_typed("How much is it, to Mars?", chance) for _ in range(200)}
    assert "How much is it, to Mars?" in typed
    assert "how much is it to mars" in typed
    assert any(
        sorted(text) == sorted("How much is it, to Mars?") and text != "How much is it, to Mars?" for text in typed
    )
    assert as_typed("??", Random(0)) == "??"


def test_training_goes_through_the_stages_and_says_so(model: CrossEncoder, tokenizer: Any) -> None:
    said: list[str] = []
    stages = [Stage(0.5, 1e-2, {HELP_CENTRES: 1}), Stage(0.5, 1e-3, {HELP_CENTRES: 1, "absent": 2})]
    sources = {HELP_CENTRES: examples()}
    head = model.head.weight.clone()
    train(model, tokenizer, sources, seconds=1, seed=0, say=said.append, save=lambda: None, stages=stages)
    assert said[0] == "help centres: 20 questions, 10 of them open"
    assert not torch.equal(model.head.weight, head)


def test_groups_are_drawn_by_weight_and_each_example_once_before_any_again() -> None:
    chance = Random(0)
    drawing = Drawing({HELP_CENTRES: mined(examples(), chance), "other": []}, chance)
    groups = drawing.groups({HELP_CENTRES: 1, "other": 5})
    assert len({next(groups).question for _ in range(20)}) == 20
    with pytest.raises(ValueError, match="other"):
        next(drawing.groups({"other": 1}))


def test_batches_hold_groups_of_similar_length() -> None:
    def endless() -> Any:
        yield from cycle([Group("w", None, ("w" * 4,)), Group("w", None, ("w" * 400,))])

    taken = batches(endless(), 4, Random(0))
    assert all(len({len(group.others[0]) for group in next(taken)}) == 1 for _ in range(24))
