"""Whether an answer to one question also answers another. Runs inside `tenant_atomic`.

Three things are asked: are the questions' vectors close enough, do the words that decide agree, and are the words that
differ common ones in this tenant's articles. A product, a place or a condition is not.
"""

from __future__ import annotations

from helpdesk.tenants.scope import current_tenant_id
from knowledge import search_sql
from knowledge.models import KnowledgeState
from knowledge.same_question import content_terms, deciding_words_agree, differing_terms
from knowledge.terms import weigh

# A word in about a sixth of a small tenant's passages, or in a tenth of a large one's.
COMMON_WEIGHT = 0.3
# Chosen on the demo companies' rephrased questions (docs/knowledge.md); other embedding models share nothing until
# `calibrate_cache` has measured them.
SHIPPED: dict[str, float | str | None] = {"model": "multilingual-e5-small", "en": 0.96, "zh": 0.97}


def needed_similarity(state: KnowledgeState, *, language: str, embedder: str) -> float | None:
    """The cosine from which on two questions may share an answer; None when they never may."""
    for chosen in (state.similarity, SHIPPED):
        model, cosine = str(chosen.get("model", "")), chosen.get(language)
        if model and model in embedder and language in chosen:
            return float(cosine) if isinstance(cosine, int | float) else None
    return None


def words_agree(first: str, second: str, *, language: str) -> bool:
    """Whether nothing but words that say little differs between the questions, for the tenant in scope."""
    if not deciding_words_agree(first, second, language):
        return False
    stems = search_sql.english_terms([first, second]) if language != "zh" else [frozenset(), frozenset()]
    pairs = zip((first, second), stems, strict=True)
    differing = differing_terms(*(content_terms(text, language, own) for text, own in pairs))
    if not differing:
        return True
    frequencies, passages = search_sql.term_frequencies(
        tenant_id=current_tenant_id(), language=language, terms=differing
    )
    return all(term.weight <= COMMON_WEIGHT for term in weigh(frequencies, passages=passages))
