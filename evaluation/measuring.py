"""A help centre's questions put to a throwaway tenant with its articles, in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluation.figures import Judged, holds
from evaluation.help_centres import HelpCentre, HelpQuestion, Told
from evaluation.looking import LocalDesk, Look, Models
from evaluation.question_sets import BadQuestionSet, squeezed, throwaway_tenant
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.answering.embedding import embed_version
from inference_worker.engine.contract import Embedder
from knowledge.models import ArticleVersion
from knowledge.sources.folders import look_through
from knowledge.sources.importing import import_folder

Handles = dict[str, str]


@contextmanager
def tenant_of(centre: HelpCentre) -> Iterator[Tenant]:
    """A throwaway tenant with the company's name."""
    with throwaway_tenant(centre.company, centre.company_zh) as tenant:
        yield tenant


def import_centre(tenant: Tenant, centre: HelpCentre, embedder: Embedder) -> Iterator[tuple[str, str]]:
    """Import the articles as `load_knowledge` does and embed them; yields each path (without ending) with its article's id.

    Raises BadQuestionSet for an article that cannot be imported.
    """
    with tempfile.TemporaryDirectory(prefix="glassdesk-evaluation-") as place:
        folder = Path(place)
        for path, text in centre.articles.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        imported = import_folder(tenant_id=tenant.id, source="evaluation", contents=look_through(folder), enqueue=False)
        for file in imported:
            if file.version_id is None:
                raise BadQuestionSet(f"{centre.company}: the article {file.path} cannot be imported: {file.reason}.")
            embed_version(tenant.id, file.version_id, embedder)
            with tenant_atomic(tenant.id):
                article_id = ArticleVersion.objects.values_list("article_id", flat=True).get(pk=file.version_id)
            yield file.path.rpartition(".")[0], str(article_id)


def judged_questions(
    tenant: Tenant, centre: HelpCentre, articles: Handles, models: Models, *, without: Collection[str] = ()
) -> Iterator[Judged]:
    """Each question's outcome, in their order. The first look warms the models and is not counted."""
    desk = LocalDesk(tenant, models, without=without)
    desk.look(centre.questions[0].text)
    for question in centre.questions:
        yield judge(centre.company, question, desk.look(question.text), articles)


def judge(company: str, question: HelpQuestion, look: Look, articles: Handles) -> Judged:
    """Hold what the desk would do against what the help centre's author says of the question."""
    right = {articles[told.article] for told in question.answers if told.article in articles}
    return Judged(
        company=company,
        question=question.text,
        language=question.language,
        open=question.open,
        across=question.is_across_languages,
        is_answered=look.is_answered,
        asks_back=look.asks_back,
        quotes_answer=_quotes(look, question.answers),
        quotes_article=bool(right & _quoted_articles(look)),
        quotes_near=_quotes(look, question.near),
        article_rank=_rank(question, look, right),
        score=look.score,
        confidence=look.content.confidence,
        milliseconds=look.milliseconds,
    )


def _quotes(look: Look, sentences: tuple[Told, ...]) -> bool:
    return any(holds(squeezed(quote), squeezed(told.text)) for quote in look.quoted for told in sentences)


def _quoted_articles(look: Look) -> set[str]:
    quotes = look.found.selection.quotes if look.found else ()
    return {str(quote.candidate.article_id) for quote in quotes}


def _rank(question: HelpQuestion, look: Look, right: set[str]) -> int | None:
    """Among the articles of the language that answers: each language is ranked apart."""
    if look.found is None:
        return None
    result = look.found.result
    candidates = result.other_language if question.is_across_languages else result.own_language
    found = list(dict.fromkeys(str(candidate.article_id) for candidate in candidates))
    return next((place for place, article in enumerate(found, 1) if article in right), None)
