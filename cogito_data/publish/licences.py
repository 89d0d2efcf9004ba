"""Whether rows may be published: the terms of every source, and a refusal that names source and count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cogito_core.console import CogitoError, UsageError, warn
from cogito_core.manifest import load_manifest
from cogito_data import nano_source
from cogito_data.sources.base import SourceManifest

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Terms:
    """The terms of a source. `allowed` is None where nothing is known; `said` is the publisher's own permission."""

    licence: str
    link: str
    allowed: bool | None
    confirmed: bool
    note: str
    said: bool = False

    @property
    def obligation(self) -> str:
        """What a user of the rows must keep to, in a few words, from the licence's name."""
        name = self.licence.upper()
        parts = []
        if "BY" in name.split("-"):
            parts.append("attribution")
        if "NC" in name.split("-"):
            parts.append("non-commercial")
        if "SA" in name.split("-"):
            parts.append("share alike")
        if "GPL" in name:
            parts.append("copyleft")
        if name in ("MIT", "APACHE-2.0"):
            parts.append("keep the notice")
        if self.allowed is not True:
            parts.append("no permission of upstream is known")
        return ", ".join(parts)


def terms_of(source: str) -> Terms:
    """The terms that the manifest of a source states; unknown for a source without a manifest."""
    if source == nano_source.NAME:
        return Terms("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", True, True, "drawn by cogito_nano")
    try:
        licence = load_manifest(source, "sources", SourceManifest).licence
    except CogitoError:
        return Terms(UNKNOWN, "", None, False, "no manifest states its terms")
    return Terms(licence.name, licence.link, licence.redistribution, licence.confirmed, licence.note)


def refuse_forbidden(rows: dict[str, int], terms: dict[str, Terms], permitted: Sequence[str]) -> dict[str, Terms]:
    """The terms with the publisher's own permissions entered.

    Args:
        rows: source -> rows that are to be published.
        permitted: sources of `--allow-licence`.

    Raises:
        CogitoError: rows of a source whose terms forbid it, or that states none, and that is not permitted.
        UsageError: a permitted source is not in the build.
    """
    for name in permitted:
        if name not in rows:
            known = ", ".join(sorted(rows))
            raise UsageError(f"--allow-licence {name}: no row is from that source; there are {known}")
    refused = [name for name in sorted(rows) if terms[name].allowed is not True and name not in permitted]
    if refused:
        listed = "; ".join(
            f"{name}: {rows[name]:,} rows, licence {terms[name].licence}"
            + (f" ({terms[name].note})" if terms[name].note else "")
            for name in refused
        )
        flags = " ".join(f"--allow-licence {name}" for name in refused)
        raise CogitoError(
            f"these rows may not be published: {listed}. Build without them, or, if you hold the permission, "
            f"say {flags}"
        )
    for name in sorted(rows):
        if not terms[name].confirmed and name not in permitted:
            warn(f"{name}: {terms[name].licence} was not read in upstream's own files; check {terms[name].link}")
    return {
        name: Terms(one.licence, one.link, one.allowed, one.confirmed, one.note, name in permitted)
        for name, one in terms.items()
    }
