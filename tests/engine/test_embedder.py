"""The packaged embedding model gives the published vectors."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from inference_worker.engine.embedder import EmbedderSettings, SentenceTransformerEmbedder, default_prefixes
from knowledge.folding import folded

pytestmark = pytest.mark.engine

# The first eight numbers of the vectors that another implementation of the same model gives.
REFERENCE = {
    "how do I get a refund?": [0.069264, -0.035752, -0.035488, -0.11532, 0.056795, -0.027554, 0.01821, 0.050699],
    "如何退款？": [0.083049, -0.039094, -0.071956, -0.100571, 0.05874, -0.028839, 0.008401, 0.056605],
    "café naïve résumé": [0.008761, -0.049601, -0.080646, -0.103952, 0.091742, -0.051905, 0.052926, 0.058243],
}
PASSAGE = "Refunds reach the card you paid with in 5 to 7 working days."
PASSAGE_REFERENCE = [0.021761, -0.033225, -0.023818, -0.059085, 0.047563, -0.04085, -0.036305, 0.032738]


@pytest.fixture(scope="module")
def embedder(embeddings_folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(EmbedderSettings(model=str(embeddings_folder)), fold=folded)


@pytest.mark.parametrize("text", list(REFERENCE))
def test_query_vectors_match_the_reference(embedder: SentenceTransformerEmbedder, text: str) -> None:
    assert embedder.embed_query(text)[:8] == pytest.approx(REFERENCE[text], abs=0.004)


def test_passage_vectors_match_the_reference_in_any_batch(embedder: SentenceTransformerEmbedder) -> None:
    texts = ["short", PASSAGE, "a much longer passage " * 30, PASSAGE, *["x"] * 8]
    vectors = embedder.embed_passages(texts)
    assert vectors[1][:8] == pytest.approx(PASSAGE_REFERENCE, abs=0.004)
    assert vectors[3] == pytest.approx(vectors[1], abs=1e-5)
    assert [len(vector) for vector in vectors] == [384] * len(texts)


def test_vectors_have_unit_length(embedder: SentenceTransformerEmbedder) -> None:
    assert sum(value * value for value in embedder.embed_query("")) == pytest.approx(1.0, abs=1e-5)


def test_no_passages_give_no_vectors(embedder: SentenceTransformerEmbedder) -> None:
    assert embedder.embed_passages([]) == []


def test_threads_may_embed_at_the_same_time(embedder: SentenceTransformerEmbedder) -> None:
    expected = embedder.embed_query(PASSAGE)
    results: list[list[float]] = []
    threads = [threading.Thread(target=lambda: results.append(embedder.embed_query(PASSAGE))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [pytest.approx(expected, abs=1e-5)] * 4


def test_tokens_are_counted_beyond_the_model_limit(embedder: SentenceTransformerEmbedder) -> None:
    assert (embedder.count_tokens("refund"), embedder.count_tokens("refund " * 700) >= 700) == (1, True)


@pytest.mark.parametrize(
    ("model", "prefixes"),
    [
        ("intfloat/multilingual-e5-small", ("query: ", "passage: ")),
        ("/models/e5-base-v2", ("query: ", "passage: ")),
        ("intfloat/multilingual-e5-large-instruct", ("", "")),
        ("sentence-transformers/all-MiniLM-L6-v2", ("", "")),
    ],
)
def test_prefixes_follow_the_model_family(model: str, prefixes: tuple[str, str]) -> None:
    assert default_prefixes(model) == prefixes
