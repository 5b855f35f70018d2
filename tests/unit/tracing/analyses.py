"""Contents of analyses for tests, fitting the sample answer."""

from __future__ import annotations

from tests.unit.tracing.samples import ANSWER, ENGINE, TOKENS
from tracing.analysis_content import (
    AlternativeAnswer,
    Alternatives,
    Attribution,
    Replay,
    SentenceCauses,
    TokenChange,
)

ATTRIBUTION = Attribution(
    method="leave_one_out",
    passages=("00000000-0000-0000-0000-000000000001",),
    sentences=(SentenceCauses(0, len(ANSWER), 8, -5.0, (3.25,)),),
    passes=2,
    scored_tokens=40,
    drift=0.001,
    engine=ENGINE,
    duration_ms=120.0,
)
REPLAY = Replay(
    verdict="changed",
    answer="Delivery takes two days.",
    tokens=(TOKENS[0], TOKENS[1], TOKENS[2], TOKENS[6], TOKENS[7]),
    engine=ENGINE,
    changes=(TokenChange(3, 6, 3, 3),),
    differences=(),
    largest_shift=0.2,
    mean_shift=0.1,
    duration_ms=300.0,
    is_free=True,
)
ALTERNATIVES = Alternatives(
    answers=(AlternativeAnswer("It takes <b>a week</b>.", -0.7, 6),), temperature=1.0, engine=ENGINE, duration_ms=90.0
)
