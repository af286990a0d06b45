"""Looks at every page of the built site (_docs/) in a real browser. Skipped, with a message, where there is none.

Each page at 1,300 pixels in light and at 390 in dark: no error on the console, no failed request, no horizontal scrolling
(at 1,300 not of a table either), no raw Markdown, every picture with an alternative text, no serious finding of axe-core, under 2 MB.
Links and anchors lead somewhere. Search finds BasicBlock. The theme switches, and the choice is kept.
"""
import functools
import http.server
import re
import shutil
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

DOCS = Path(__file__).resolve().parents[1] / '_docs'
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
LAPTOP, PHONE = 1300, 390  # pixels
LIMIT = 2_000_000  # bytes of a page with all it loads
# What is alike fails alike. axe-core is shown one code token of each kind (all of them take three times as long),
# and of the long lists, tables and series of code blocks fifty entries.
WITHOUT_REPETITION = '''() => {
    const kinds = new Set()
    for (const token of document.querySelectorAll('pre span')) {
        if (kinds.has(token.className)) token.replaceWith(...token.childNodes)
        kinds.add(token.className)
    }
    for (const alike of ['main li', 'main tr', 'main .code-copy-outer-scaffold'])
        for (const entry of [...document.querySelectorAll(alike)].slice(50)) entry.remove()
}'''


class Page(HTMLParser):
    "Links and ids of a page."
    def __init__(self, path: Path):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == 'a' and found.get('href'): self.links.append(found['href'])
        self.ids |= {found[key] for key in ('id', 'name') if found.get(key)}


def broken_links(pages: dict[str, Page]) -> list[str]:
    "Links within the site that lead nowhere."
    found = []
    for name, page in pages.items():
        for link in page.links:
            source = re.search(r'modified-resnet/modified_resnet/(?:(?:blob|edit)/)?main/([^#?]+)', link)
            if source and not (DOCS.parent / source[1]).exists(): found.append(f'{name}: no file for {link}')
            if re.match(r'[a-z]+:', link): continue
            target, anchor = urldefrag(unquote(link))
            target = (target or name).removeprefix('./').removeprefix('/')
            if target in ('', '.'): target = 'index.html'
            if not (DOCS / target).exists(): found.append(f'{name}: no page {link}')
            elif anchor and target in pages and anchor not in pages[target].ids: found.append(f'{name}: no anchor {link}')
    return found


def left_raw(path: Path) -> list[str]:
    "Where Markdown, an option whose two hyphens became a dash, or a name of Python's inspect stands in the text of a page."
    text = re.sub(r'<(script|style|pre|code)\b.*?</\1>', '', path.read_text(encoding='utf-8'), flags=re.S)
    return [f'{path.name}: raw text {found!r}' for found in re.findall(r'\w*\]\(\w+|VAR_[A-Z]+|(?<=\s)–[a-z]+', re.sub(r'<[^>]+>', '', text))]


def serve() -> tuple[http.server.ThreadingHTTPServer, str]:
    "A server of the site on a free port, and its address."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=DOCS))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f'http://127.0.0.1:{server.server_address[1]}'


def watched_page(browser, width: int, scheme: str) -> tuple:
    "A page of a width, in a colour scheme; a list of what goes wrong in it, and one of the bytes of all that it loads."
    page = browser.new_context(viewport=dict(width=width, height=900), color_scheme=scheme).new_page()
    wrong, sizes = [], []
    page.on('console', lambda message: wrong.append(f'console: {message.text}') if message.type == 'error' else None)
    page.on('pageerror', lambda error: wrong.append(f'script: {error}'))
    page.on('requestfailed', lambda request: wrong.append(f'request failed: {request.url}'))
    page.on('response', lambda response: wrong.append(f'{response.status}: {response.url}') if response.status >= 400 else sizes.append(int(response.headers.get('content-length', 0))))
    return page, wrong, sizes


def look(page, address: str, width: int, axe) -> list[str]:
    "What is wrong with how a page of a width shows the document at an address."
    page.goto(address, wait_until='load')
    found = []
    wide = page.evaluate('document.documentElement.scrollWidth')
    if wide > width: found.append(f'{wide} pixels wide')
    cut = page.evaluate("[...document.querySelectorAll('main table')]"
                        ".filter(table => table.offsetWidth > table.parentElement.clientWidth + 1)"
                        ".map(table => table.rows[0].innerText)")
    if width == LAPTOP and cut: found.append(f'tables cut at the right: {cut}')
    without = page.evaluate("[...document.images].filter(image => !image.alt.trim()).length")
    if without: found.append(f'{without} pictures without alternative text')
    page.evaluate(WITHOUT_REPETITION)
    serious = [v for v in axe.run(page).response['violations'] if v['impact'] in ('serious', 'critical')]
    return found + [f'axe: {v["id"]} ({len(v["nodes"])}): {v["nodes"][0]["html"][:120]}' for v in serious]


def look_at_all(browser, base: str, names: list[str], width: int, scheme: str, axe) -> list[str]:
    "What is wrong with any document, at a width, in a colour scheme; one page shows them all, since each new one costs a process."
    (page, wrong, sizes), lines = watched_page(browser, width, scheme), []
    for name in names:
        page.goto('about:blank')  # what the one before still asks for ends here
        wrong.clear(), sizes.clear()
        found = look(page, f'{base}/{name}', width, axe)
        if sum(sizes) > LIMIT: found.append(f'{sum(sizes):,} bytes')
        lines += [f'{name}, {width} px, {scheme}: {line}' for line in [*wrong, *found]]
    return lines


def use(browser, base: str) -> list[str]:
    "What is wrong with search, theme and enlarging."
    page, found = browser.new_context(viewport=dict(width=LAPTOP, height=900), color_scheme='light').new_page(), []
    page.goto(f'{base}/index.html')
    page.fill('.smalldocs-search input, #quarto-search input', 'BasicBlock')
    page.wait_for_timeout(1500)
    results = page.locator('.search-result, .aa-Item').all_inner_texts()
    if not any('BasicBlock' in text for text in results): found.append(f'search does not find BasicBlock: {results[:3]}')
    color = lambda: page.evaluate('getComputedStyle(document.body).backgroundColor')
    page.goto(f'{base}/index.html')
    light = color()
    page.click('.quarto-color-scheme-toggle >> visible=true')
    page.wait_for_timeout(300)
    dark = color()
    page.goto(f'{base}/blocks.html')
    if light == dark: found.append('the theme does not switch')
    if color() != dark: found.append('the choice of the theme is not kept')
    figure = page.locator('main figure img').first
    figure.focus()
    page.keyboard.press('Enter')
    if not page.locator('dialog[open] img, .glightbox-open').count(): found.append('a figure does not enlarge')
    return found


def main() -> int:
    program = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if not program:
        print('site not tested: no browser (chromium) on this machine')
        return 0
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright
    start, names = time.perf_counter(), sorted(path.name for path in DOCS.glob('*.html'))
    if not names: raise SystemExit('there is no site in _docs: make docs')
    found = broken_links({name: Page(DOCS / name) for name in names}) + [line for name in names for line in left_raw(DOCS / name)]
    server, base = serve()
    with sync_playwright() as playwright:
        browser, axe = playwright.chromium.launch(executable_path=program, args=['--no-sandbox']), Axe()
        for width, scheme in ((LAPTOP, 'light'), (PHONE, 'dark')): found += look_at_all(browser, base, names, width, scheme, axe)
        found += use(browser, base)
        browser.close()
    server.shutdown()
    for line in found: print('FAILED ', line)
    print(f'site: {len(names)} pages looked at in {time.perf_counter() - start:.0f} s, {len(found)} faults')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
