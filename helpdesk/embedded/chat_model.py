"""Which chat model a start serves: the one that somebody set, a stronger one from the hub, or the packaged one.

A hub that is away, slow or wrong never keeps a desk from starting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference_worker.engine.weights import hub
from inference_worker.engine.weights.packaged import PackagedWeightsError


@dataclass(frozen=True, slots=True)
class Taken:
    """A model's folder, or why there is none. `said` is a sentence for the person at the terminal."""

    folder: Path | None
    said: str


def model_of_hub(setting: str, *, cpu_engine: bool, cores: int) -> str:
    """Name of the hub's model to take, empty for none. `setting` is what somebody set, empty when nobody did."""
    if setting:
        return setting if hub.is_hub_name(setting) else ""
    return hub.STRONGER if not cpu_engine or cores >= hub.MANY_CORES else ""


def take(
    model: str,
    cache: Path,
    *,
    revision: str,
    only_free: bool = False,
    progress: Callable[[str, float], None],
    access: hub.Access | None = None,
) -> Taken:
    """The hub's model in the cache, where it is or comes to be; otherwise what a person should know.

    What nobody asked for has to be `only_free`: its licence restricts no company's use.
    """
    try:
        folder = hub.download(cache, model, revision=revision, progress=progress, access=access, only_free=only_free)
        return Taken(folder, f"{model} is served; {_about_license(hub.license_of(folder))}")
    except PackagedWeightsError as error:
        why = str(error).rstrip(".")
    except OSError as error:
        why = f"it could not be written under {cache} ({error.strerror})"
    return Taken(
        None, f"{model} is not served now: {why}. The packaged model is, which only quotes; the next start goes on."
    )


def _about_license(license: str) -> str:
    if hub.is_free(license):
        return f"its licence is {license}."
    return f"its licence is {license}, which may restrict commercial use: read it before customers are answered by it."
