"""The packaged reranker reads pairs of both languages as it was trained to."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference_worker.engine.cross_encoder import (
    PACKAGED_WEIGHTS,
    CrossEncoder,
    CrossEncoderSettings,
    with_same_vocabulary,
)
from inference_worker.engine.embedder import EmbedderSettings, SentenceTransformerEmbedder
from knowledge.folding import folded

pytestmark = pytest.mark.engine

DELIVERY = [
    "Delivery › Times: Standard delivery takes three to five working days.",
    "Delivery › Times: Express delivery takes one working day.",
    "Delivery › Costs: Standard delivery costs four euros.",
    "Returns: Unused pots may be returned within thirty days.",
    "Gift cards: A gift card is valid for three years.",
]
ZH_DELIVERY = [
    "配送 › 时间: 标准配送需要三到五个工作日。",
    "配送 › 时间: 快递需要一个工作日。",
    "配送 › 费用: 标准配送的费用为四欧元。",
    "退货: 未使用的花盆可以在三十天内退回。",
    "礼品卡: 礼品卡的有效期为三年。",
]


@pytest.fixture(scope="module")
def reranker(embeddings_folder: Path) -> CrossEncoder:
    return CrossEncoder(CrossEncoderSettings(base=str(embeddings_folder)), fold=folded)


@pytest.mark.parametrize("sentences", [DELIVERY, ZH_DELIVERY], ids=["en", "zh"])
@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("What does standard delivery cost?", 2),
        ("Can I return a pot that I have not used?", 3),
        ("How long is a gift card valid?", 4),
        ("标准配送多少钱？", 2),
        ("没有用过的花盆能退吗？", 3),
        ("禮品卡的有效期是多久？", 4),
    ],
)
def test_the_sentence_that_answers_is_first_in_and_across_languages(
    reranker: CrossEncoder, sentences: list[str], question: str, best: int
) -> None:
    relevance = [score.relevance for score in reranker.score(question, sentences)]
    assert relevance.index(max(relevance)) == best


@pytest.mark.parametrize(
    ("question", "sentence", "related"),
    [
        ("How long is a gift card valid?", DELIVERY[4], "Gift cards: Gift cards are sent by mail."),
        ("标准配送多少钱？", ZH_DELIVERY[2], "配送 › 费用: 标准配送的费用会显示在结账页面上。"),
    ],
)
def test_what_answers_is_likelier_to_than_what_only_treats_the_subject(
    reranker: CrossEncoder, question: str, sentence: str, related: str
) -> None:
    answer, other = reranker.score(question, [sentence, related])
    assert answer.answers > 0
    assert answer.answers > other.answers


def test_the_file_says_what_it_is(reranker: CrossEncoder) -> None:
    info = reranker.info()
    assert (info["model"], info["base"]) == ("relevance", "multilingual-e5-small")
    assert info["revision"][0] != " " and PACKAGED_WEIGHTS.stat().st_size < 3_000_000


def test_a_shared_vocabulary_reads_texts_as_its_own_does(embeddings_folder: Path) -> None:
    """Whatever truncation and padding the embedding model set last."""
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(embeddings_folder / "tokenizer.json"))
    own.no_truncation()
    embedder = SentenceTransformerEmbedder(EmbedderSettings(model=str(embeddings_folder)), fold=folded)
    tokenizer = embedder.tokenizer_of(str(embeddings_folder))
    assert embedder.tokenizer_of("/another/model") is None
    shared = with_same_vocabulary(tokenizer)
    embedder.embed_query("short")
    for text in (*DELIVERY, *ZH_DELIVERY, "<s> a </s> <mask> XJ-200B", "é ñ 🎉  two\nlines", "", "word " * 700):
        assert shared.encode(text, add_special_tokens=False).ids == own.encode(text, add_special_tokens=False).ids
    for token in ("<s>", "</s>"):
        assert shared.token_to_id(token) == own.token_to_id(token)
