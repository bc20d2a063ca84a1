"""Chinese and English for every part of the base, from gettext catalogues beside each package."""

from __future__ import annotations

import functools
import gettext
import importlib.util
import io
from collections.abc import Iterable
from pathlib import Path

from babel.core import UnknownLocaleError, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("zh", "en")
PACKAGES = (
    "ulab_core",
    "ulab_datasets",
    "ulab_runtime",
    "ulab_mlflow",
    "ulab_curricula",
    "ulab_coursework",
    "ulab_teams",
    "ulab_hub",
    "ulab_portal",
    "ulab_deploy",
)
COOKIE = "ulab-language"


def mark(message: str) -> str:
    """Mark a literal for the catalogue; it is translated where it is shown."""
    return message


@functools.cache
def translations(language: str) -> gettext.NullTranslations:
    """Everything translated into `language`, all packages together.

    English is the language of the source, so its catalogue is empty. Catalogues are read from
    ``<package>/locale/<language>.po`` directly: no compiled file can then be out of date.
    """
    merged = gettext.NullTranslations()
    if language == "en" or language not in LANGUAGES:
        return merged
    for path in filter(None, (_catalogue_path(package, language) for package in PACKAGES)):
        binary = io.BytesIO()
        with path.open("rb") as source:
            write_mo(binary, read_po(source, locale=language))
        binary.seek(0)
        loaded = gettext.GNUTranslations(binary)
        loaded.add_fallback(merged)
        merged = loaded
    return merged


def _catalogue_path(package: str, language: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations))) / "locale" / f"{language}.po"
    return path if path.is_file() else None


def choose_language(chosen: str | None, accept_language: str | None, default: str = "zh") -> str:
    """The language of a page: the person's choice, else the browser's, else the site's.

    Parameters
    ----------
    chosen
        The value of the language cookie or of the person's profile.
    accept_language
        The request's ``Accept-Language`` header.
    """
    if chosen in LANGUAGES:
        return chosen
    try:
        found = negotiate_locale(list(_accepted(accept_language or "")), LANGUAGES, sep="-")
    except (UnknownLocaleError, ValueError):
        found = None
    return found or default


def _accepted(header: str) -> Iterable[str]:
    weighted = []
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighted.append((float(quality or 1), tag))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0]) if tag]
