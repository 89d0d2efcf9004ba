"""The site builds without a warning, and every link and anchor in what was built leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("mkdocstrings")


class _Page(HTMLParser):
    """Anchors of a page, its links, and what it loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in ("img", "script", "iframe", "source") and "src" in given:
            self.loads.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preconnect"):
            self.loads.append(given["href"])


@pytest.fixture(scope="module")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(out)],
        cwd=repository, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Page]:
    return {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def _broken(pages: dict[Path, _Page], site: Path) -> list[str]:
    found = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                found.append(f"{path.relative_to(site)}: {link} leads nowhere")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{path.relative_to(site)}: {link}: no such anchor")
    return found


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[Path, _Page]) -> None:
    assert len(pages) > 30
    assert _broken(pages, site) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text("<p id=there>")
    texts = {"a.html": "<a href=b.html#there></a><a href=b.html#gone></a><a href=c.html></a><img src=d.png>", "b.html": "<p id=there>"}
    pages = {tmp_path / name: _Page(text) for name, text in texts.items()}
    said = _broken(pages, tmp_path)
    assert [line.split(": ", 1)[1] for line in said] == [
        "b.html#gone: no such anchor", "c.html leads nowhere", "d.png leads nowhere",
    ]


def test_the_site_loads_nothing_from_other_hosts(pages: dict[Path, _Page]) -> None:
    foreign = {load for page in pages.values() for load in page.loads if urlsplit(load).netloc}
    assert foreign == set()


def test_docstrings_come_out_as_they_were_meant(site: Path) -> None:
    """A doctest is a code block, no nested quotation; a table of attributes has one name a row."""
    examples = 0
    for page in (site / "api").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<blockquote>" not in text, page.name
        names = re.findall(r'<tr class="doc-section-item">\s*<td>(.*?)</td>', text, re.S)
        assert [name for name in (re.sub(r"<[^>]*>", "", cell).strip() for cell in names) if "," in name] == [], page.name
        examples += text.count('<span class="gp">&gt;&gt;&gt; </span>')
    assert examples >= 10


def test_the_reference_documents_what_users_call(site: Path) -> None:
    for page, names in {
        "core": ["cogito_core.shards.SampleStore", "cogito_core.sample.Sample"],
        "verify": ["cogito_core.verify.api.verify", "cogito_core.verify.extract.extract"],
        "engines": ["cogito_core.engines.open_engine", "cogito_core.engines.base.Engine"],
        "train": ["cogito_train.rewards.dynamic_length_reward", "cogito_train.config.Stage"],
        "eval": ["cogito_eval.benchmark.Benchmark", "cogito_eval.compare.compare_runs"],
    }.items():
        text = (site / "api" / f"{page}.html").read_text(encoding="utf-8")
        for name in names:
            assert f'id="{name}"' in text, name
