"""What the checked YAML files of curricula and data sets are made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ulab_core.i18n import mark


class Strict(BaseModel):
    """Refuses a key it does not know, and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Strict):
    """The same words in both languages."""

    zh: str = Field(min_length=1, description=mark("In Chinese."))
    en: str = Field(min_length=1, description=mark("In English."))
