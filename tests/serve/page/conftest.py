"""A server of the shipped model, a browser, and pages that are watched."""

import re
from collections.abc import Iterator

import pytest
from browsing import chromium, serve

import framecast


@pytest.fixture(scope="module")
def generator():
    return framecast.load_generator()


@pytest.fixture(scope="module")
def address(generator) -> Iterator[str]:
    with serve(generator) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """Opens pages; at the end none of them has complained, or asked another server for anything."""
    complaints, asked, contexts, allowed = [], set(), [], []

    def open_page(url: str, expect: str = "", **options):
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.add(re.sub(r"^(blob:|data:).*", "", request.url)))
        page.goto(url)
        contexts.append(context)
        allowed.append(expect)
        return page

    yield open_page
    for context in contexts:
        context.close()
    wrong = [text for text in complaints if not any(expect and expect in text for expect in allowed)]
    assert wrong == []
    assert {url for url in asked if url and not url.startswith("http://127.0.0.1:")} == set()
