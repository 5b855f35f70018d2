"""Whether an answer to one question also answers another.

Three things are asked: are the questions' vectors close enough, do the words that decide agree, and do both name the same
things. That a word is common in the articles does not excuse it: a courier's articles are full of "express" and "standard".
"""

from __future__ import annotations

from knowledge.cached_answers.same_question import content_terms, deciding_words_agree, differing_terms
from knowledge.models import KnowledgeState
from knowledge.search import statements

# Chosen on the demo companies' rephrased questions (docs/knowledge.md); with another embedding model only the same question
# counts until `calibrate_cache` has measured it.
SHIPPED: dict[str, float | str | None] = {"model": "multilingual-e5-small", "en": 0.96, "zh": 0.98}


def needed_similarity(state: KnowledgeState, *, language: str, embedder: str) -> float | None:
    """The cosine from which on two questions may share an answer; None when they never may."""
    for chosen in (state.similarity, SHIPPED):
        model, cosine = str(chosen.get("model", "")), chosen.get(language)
        if model and model in embedder and language in chosen:
            return float(cosine) if isinstance(cosine, int | float) else None
    return None


def words_agree(first: str, second: str, *, language: str) -> bool:
    """Whether nothing but words that say nothing of the subject differs between the questions."""
    if not deciding_words_agree(first, second, language):
        return False
    stems = statements.english_terms([first, second]) if language != "zh" else [frozenset(), frozenset()]
    one, other = (content_terms(text, language, own) for text, own in zip((first, second), stems, strict=True))
    return not differing_terms(one, other)
