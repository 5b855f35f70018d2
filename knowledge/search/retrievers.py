"""What looks for passages: each retriever gives one named ranked list of a query. A further one is an entry of RETRIEVERS.

Lists of the question's language are fused by their names (`ranking.fuse`), and so are those of the other language, whose
passages have slots of their own: in one list with the others they are never found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.search import statements
from knowledge.search.ranking import DENSE, LEXICAL, Hit
from knowledge.search.statements import SearchQuery, Select, centre, quote_term, write_vector

BY_MEANING = Select(
    score="1 - (embedding <=> %(vector)s::vector)", where="language = %(language)s AND embedding IS NOT NULL"
)
BY_WORDS = Select(
    score="ts_rank(lexemes, %(words)s::tsquery, 1)", where="language = %(language)s AND lexemes @@ %(words)s::tsquery"
)
# Evidence that is no language's own is rare, and the more of it a passage holds, the better; how often does not matter.
EXACTLY = Select(
    score="(SELECT count(*) FROM unnest(%(foreign_terms)s::text[]) AS held (term) WHERE lexemes @@ term::tsquery)",
    where="language = %(other_lexical)s AND lexemes @@ %(foreign_words)s::tsquery",
)
ACROSS_LANGUAGES = Select(
    score="1 - ((embedding - %(other_mean)s::vector) <=> %(centred)s::vector)",
    where="language = %(other)s AND embedding IS NOT NULL",
)


@dataclass(frozen=True, slots=True)
class Retriever:
    """A named list. `look` gives its hits, best first, or a select, which shares one statement with the others'.

    Two retrievers of one language have different names. `weight` is what its list counts in the fusion.
    """

    name: str
    look: Callable[[SearchQuery], Select | Sequence[Hit]]
    is_other_language: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class RankedLists:
    """The lists of one search by name, best first; `frequencies` says in how many passages each query term occurs.

    `own_weights` and `other_weights` are what each list counts in the fusion.
    """

    own: dict[str, Sequence[Hit]]
    other: dict[str, Sequence[Hit]]
    own_weights: dict[str, float]
    other_weights: dict[str, float]
    frequencies: dict[str, int]


def by_meaning(query: SearchQuery) -> Select | Sequence[Hit]:
    """By the cosine of the vectors."""
    return () if query.vector is None else BY_MEANING.given(vector=write_vector(query.vector))


def by_words(query: SearchQuery) -> Select | Sequence[Hit]:
    """By the query's terms, with PostgreSQL's ts_rank."""
    return BY_WORDS.given(words=" | ".join(query.quoted_terms)) if query.quoted_terms else ()


def across_languages(query: SearchQuery) -> Select | Sequence[Hit]:
    """By the cosine of centred vectors: the query and the passages without the mean of their languages."""
    other = query.other_language
    if query.vector is None or other is None:
        return ()
    return ACROSS_LANGUAGES.given(
        other=other,
        centred=write_vector(centre(query.vector, query.known.query_mean)),
        other_mean=write_vector(query.known.means.get(other, np.zeros_like(query.vector))),
    )


def exactly(query: SearchQuery) -> Select | Sequence[Hit]:
    """By how much a passage of the other language holds of what is no language's own: codes, amounts, figures, Latin words."""
    other, terms = query.other_language, [quote_term(term) for term in query.known.foreign_terms]
    if other is None or not terms:
        return ()
    return EXACTLY.given(other_lexical=other, foreign_terms=terms, foreign_words=" | ".join(terms))


# A word or a year that a passage happens to hold says less than the meaning of the whole: counted like that, two to eleven in a
# hundred right passages lose their first place. So it decides among the nearest only.
EXACT_WEIGHT = 0.1

RETRIEVERS = (
    Retriever(DENSE, by_meaning),
    Retriever(LEXICAL, by_words),
    Retriever(DENSE, across_languages, is_other_language=True),
    Retriever(LEXICAL, exactly, is_other_language=True, weight=EXACT_WEIGHT),
)


def retrieve(query: SearchQuery, retrievers: Sequence[Retriever] = RETRIEVERS) -> RankedLists:
    """Every retriever's list, and the frequencies of the query's terms, in at most one statement."""
    looked = [retriever.look(query) for retriever in retrievers]
    selects = {place: each for place, each in enumerate(looked) if isinstance(each, Select)}
    selected, frequencies = statements.ranked_lists(query, selects)
    lists = [selected[place] if isinstance(each, Select) else each for place, each in enumerate(looked)]
    named = list(zip(retrievers, lists, strict=True))
    return RankedLists(
        own={each.name: hits for each, hits in named if not each.is_other_language},
        other={each.name: hits for each, hits in named if each.is_other_language},
        own_weights={each.name: each.weight for each in retrievers if not each.is_other_language},
        other_weights={each.name: each.weight for each in retrievers if each.is_other_language},
        frequencies=frequencies,
    )
