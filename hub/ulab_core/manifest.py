"""What the checked YAML files of curricula and data sets are made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """Refuses a key it does not know, and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Strict):
    """The same words in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
