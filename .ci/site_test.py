"""Looks at every page of the site that Quarto built (_docs/) in a real browser. Skipped, with a message, without one of them.

Each page at 1,300 pixels in light and at 390 in dark, and some at 1,300 in dark: no error on the console, no failed request and none to another host,
nothing wider than the page or cut (at 1,300 no table scrolls either), code that can be read, every picture with an alternative
text and, on a phone, with letters of a size, no serious finding of axe-core, under 1 MB. A header of one row and a table of
contents on a phone. Links and anchors lead somewhere, no id or caption stands twice, no raw Markdown.
Search finds BasicBlock, and of a subject its chapter first. The theme switches, and the choice is kept. A picture that is
dropped on Try a photo gets the probabilities that `predict` gives it.
"""
import base64
import functools
import http.server
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

DOCS = Path(__file__).resolve().parents[1] / '_docs'
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
LAPTOP, PHONE = 1300, 390  # pixels
LIMIT = 1_000_000  # bytes of a page and its pictures; Quarto's style sheets and scripts, of 1.7 MB, are the same for all pages
# What a browser sees in a page: [where it looks, what is wrong with each that it finds]. `width` is the window's.
CHECKS = {
    'longer than 10,000 pixels': """width < 1000 || document.documentElement.scrollHeight <= 10000 ? [] : [document.documentElement.scrollHeight + ' px']""",
    'links written out in code': """[...document.querySelectorAll('main pre')].filter(code => code.innerText.includes('](https://modified-resnet')).map(code => code.innerText)""",
    'tables cut at the right': """width < 1000 ? [] : [...document.querySelectorAll('main table')]
        .filter(table => table.offsetWidth > table.parentElement.clientWidth + 1).map(table => table.rows[0].innerText)""",
    'tables with an empty header': """[...document.querySelectorAll('main th')].filter(head => !head.textContent.trim()).map(head => head.closest('table').innerText)""",
    'pictures without alternative text': """[...document.images].filter(image => !image.alt.trim()).map(image => image.src)""",
    'captions without a picture or table': """[...document.querySelectorAll('figure:has(figcaption)')].filter(figure => !figure.querySelector('img, svg, canvas, table, pre')).map(figure => figure.innerText)""",
    'pictures that share a caption': """[...document.querySelectorAll('main .cell:has(figcaption)')]
        .filter(cell => cell.querySelectorAll('img').length > cell.querySelectorAll('figcaption').length).map(cell => cell.querySelector('figcaption').innerText)""",
    'folds without a name': """[...document.querySelectorAll('main details.code-fold > summary')].filter(summary => summary.innerText.trim() === 'Code').map(summary => summary.parentElement.textContent)""",
    'text or code wider than the column': """[...document.querySelectorAll('main p, main pre, main figure, main figcaption')].filter(part => part.offsetWidth > 762 && !part.closest('table')).map(part => part.innerText)""",
    'captions that stand twice': """[...document.querySelectorAll('figcaption')].map(caption => caption.innerText).filter((text, i, all) => all.indexOf(text) < i)""",
    'code of another size than 13 to 15 px': """[...document.querySelectorAll('main pre code')]
        .map(code => parseFloat(getComputedStyle(code).fontSize) + ' px: ' + code.innerText).filter(text => !(parseFloat(text) >= 13 && parseFloat(text) <= 15))""",
    'sticks out of its box': """[...document.querySelectorAll('main *')].filter(element => {
        const box = element.getBoundingClientRect()
        if (!box.width || element.matches('math *, svg *, pre *')) return false  // spaces at the end of a wrapped line count
        for (let above = element.parentElement; above.matches('main, main *'); above = above.parentElement) {
            const {overflowX, position, display} = getComputedStyle(above)
            if (['auto', 'scroll'].includes(overflowX)) return false
            if (!display.startsWith('inline') && box.right > above.getBoundingClientRect().right + 1) return true
        }
    }).map(element => element.outerHTML)""",
    'lines of code that are cut or scroll': """[...document.querySelectorAll('main pre')].filter(code => code.scrollWidth > code.clientWidth + 1).map(code => code.innerText)""",
    'wrapped code begins left of its line': """[...document.querySelectorAll('main code.sourceCode > span[id]')].filter(line => {
        const text = line.innerText, height = parseFloat(getComputedStyle(line).lineHeight)
        if (line.offsetHeight < 1.5 * height || !/^\\s/.test(text)) return false
        const rows = [...line.getClientRects()], range = document.createRange()
        range.selectNodeContents(line)
        const boxes = [...range.getClientRects()].filter(box => box.width > 1), first = Math.min(...boxes.map(box => box.top))
        const indent = line.getBoundingClientRect().left + Math.min(20, text.match(/^\\s+/)[0].length) * 7
        return boxes.some(box => box.top > first + height / 2 && box.left < indent)
    }).map(line => line.innerText)""",
    'findings without a box': """[...document.querySelectorAll('#what-we-found')].filter(section => getComputedStyle(section).borderLeftStyle === 'none').map(section => section.innerText)""",
    'comments in the colour of code': """[...document.querySelectorAll('main pre .co')].filter(comment => getComputedStyle(comment).color === getComputedStyle(comment.closest('code')).color).map(comment => comment.innerText)""",
    'charts too small to read': """width > 1000 ? [] : [...document.querySelectorAll('main .cell-output figure img, main .cell-output-display > div img')]
        .filter(image => image.clientWidth < .7 * Math.min(image.getAttribute('width') || image.naturalWidth, 900)).map(image => `${image.clientWidth} of ${image.naturalWidth} px: ${image.alt}`)""",
    'header of more than one row': """width > 1000 || document.querySelector('.navbar').offsetHeight <= 64 ? [] : [document.querySelector('.navbar').offsetHeight + ' px']""",
    'no table of contents': """document.querySelectorAll('main section.level2').length < 2
        || [...document.querySelectorAll('nav[role=doc-toc], details.contents')].some(toc => toc.checkVisibility()) ? [] : [document.title]""",
}
SUBJECTS = {'augmentation': '(augmentation|ablations).html', 'calibration': 'evaluation.html', 'weight decay': 'optimizers.html', 'overfit': 'training.html', 'receptive field': 'inside.html'}
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
        self.links, self.ids, self.names, self.head = [], [], set(), {}
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == 'a' and found.get('href'): self.links.append(found['href'])
        if found.get('id') and tag != 'link': self.ids.append(found['id'])
        self.names |= {found[key] for key in ('id', 'name') if found.get(key)}
        if tag == 'meta': self.head[found.get('property') or found.get('name')] = found.get('content', '')
        if tag == 'link': self.head[found.get('rel')] = found.get('href', '')


def faults_of(name: str, page: Page) -> list[str]:
    "Ids that stand twice, and what a page tells other sites of itself."
    found = [f'{name}: the id {key} stands {count} times' for key, count in Counter(page.ids).items() if count > 1]
    if not page.head.get('canonical', '').endswith(f'/{name}'): found.append(f'{name}: its canonical address is {page.head.get("canonical")}')
    return found + [f'{name}: {key} is {page.head.get(key)}' for key in ('og:image', 'twitter:image') if not page.head.get(key, '').endswith('/card.png')]


def broken_links(pages: dict[str, Page]) -> list[str]:
    "Links within the site that lead nowhere."
    found = []
    for name, page in pages.items():
        for link in page.links:
            source = re.search(r'modified-resnet/modified_resnet/(?:(?:blob|edit)/)?main/([^#?]+)', link)
            if source and not (DOCS.parent / source[1]).exists(): found.append(f'{name}: no file for {link}')
            if re.match(r'[a-z]+:', link): continue
            target, anchor = urldefrag(unquote(link))
            target = os.path.normpath(os.path.join(os.path.dirname(name), target)) if target else name
            if target in ('', '.'): target = 'index.html'
            if not (DOCS / target).exists(): found.append(f'{name}: no page {link}')
            elif anchor and target in pages and anchor not in pages[target].names: found.append(f'{name}: no anchor {link}')
    return found


def left_raw(path: Path) -> list[str]:
    "Where Markdown, an option whose two hyphens became a dash, or a name of Python's inspect stands in the text of a page."
    text = re.sub(r'<(script|style|pre|code)\b.*?</\1>', '', path.read_text(encoding='utf-8'), flags=re.S)
    return [f'{path.name}: raw text {found!r}' for found in re.findall(r'\w*\]\(\w+|VAR_[A-Z]+|(?<!\w)–[a-z]+', re.sub(r'<[^>]+>', '', text))]


def serve() -> tuple[http.server.ThreadingHTTPServer, str]:
    "A server of the site on a free port, and its address."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=DOCS))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f'http://127.0.0.1:{server.server_address[1]}'


def watched_page(browser, base: str, width: int, scheme: str) -> tuple:
    "A page of a width, in a colour scheme; a list of what goes wrong in it, and one of the bytes of what it loads of its own."
    page = browser.new_context(viewport=dict(width=width, height=900), color_scheme=scheme).new_page()
    wrong, sizes = [], []
    page.on('console', lambda message: wrong.append(f'console: {message.text}') if message.type == 'error' else None)
    page.on('request', lambda request: wrong.append(f'asks another host: {request.url}') if not request.url.startswith((base, 'data:', 'blob:', 'about:')) else None)
    page.on('pageerror', lambda error: wrong.append(f'script: {error}'))
    page.on('requestfailed', lambda request: wrong.append(f'request failed: {request.url}'))
    page.on('response', lambda response: wrong.append(f'{response.status}: {response.url}') if response.status >= 400 else sizes.append(int(response.headers.get('content-length', 0)) * ('/site_libs/' not in response.url)))
    return page, wrong, sizes


def look(page, address: str, width: int, axe) -> list[str]:
    "What is wrong with how a page of a width shows the document at an address."
    page.goto(address, wait_until='load')
    found = []
    wide = page.evaluate('document.documentElement.scrollWidth')
    if wide > width: found.append(f'{wide} pixels wide')
    for what, script in CHECKS.items():
        seen = page.evaluate(f'(width => {script})', width)
        if seen: found.append(f'{what} ({len(seen)}): {" ".join(seen[0].split())[:120]}')
    page.evaluate(WITHOUT_REPETITION)
    serious = [v for v in axe.run(page).response['violations'] if v['impact'] in ('serious', 'critical')]
    return found + [f'axe: {v["id"]} ({len(v["nodes"])}): {v["nodes"][0]["html"][:120]}' for v in serious]


def look_at_all(browser, base: str, names: list[str], width: int, scheme: str, axe) -> list[str]:
    "What is wrong with any document, at a width, in a colour scheme; one page shows them all, since each new one costs a process."
    (page, wrong, sizes), lines = watched_page(browser, base, width, scheme), []
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
    page.click('#quarto-search button')
    page.fill('input.aa-Input', 'BasicBlock')
    page.wait_for_timeout(1500)
    results = page.locator('.aa-Item').all_inner_texts()
    if not any('BasicBlock' in text for text in results): found.append(f'search does not find BasicBlock: {results[:3]}')
    for subject, chapters in SUBJECTS.items():
        page.fill('input.aa-Input', subject)
        page.wait_for_timeout(1000)
        first = page.locator('.aa-Item a').first.get_attribute('href')
        if not re.search(chapters, first): found.append(f'search for {subject} leads to {first} first, not to {chapters}')
    color = lambda: page.evaluate('getComputedStyle(document.body).backgroundColor')
    page.goto(f'{base}/index.html')
    light = color()
    page.click('.quarto-color-scheme-toggle >> visible=true')
    page.wait_for_timeout(300)
    dark = color()
    page.goto(f'{base}/blocks.html')
    if light == dark: found.append('the theme does not switch')
    if color() != dark: found.append('the choice of the theme is not kept')
    page.click('#quarto-search button')
    if page.evaluate("getComputedStyle(document.querySelector('.aa-Form')).backgroundColor") == 'rgb(255, 255, 255)': found.append('the search field is white in the dark')
    page.keyboard.press('Escape')
    figure = page.locator('main a.lightbox').first
    figure.focus()
    page.keyboard.press('Enter')
    if not page.locator('.glightbox-open').count(): found.append('a figure does not enlarge')
    return found


def drop(page, picture: Path):
    "Drop a picture on the page, as a mouse does."
    dropped = page.evaluate_handle("""picture => {
        const transfer = new DataTransfer()
        transfer.items.add(new File([Uint8Array.from(atob(picture), letter => letter.charCodeAt(0))], 'picture.png', {type: 'image/png'}))
        return transfer
    }""", base64.b64encode(picture.read_bytes()).decode())
    page.dispatch_event('#photo .drop', 'drop', {'dataTransfer': dropped})


def try_photo(browser, base: str) -> list[str]:
    "What is wrong with the answers of Try a photo: they are those of `predict`, for a small picture and a large one, and what is no picture is refused."
    if not (DOCS / 'try' / 'ort.wasm.bundle.min.mjs').exists(): return print('Try a photo not tested: the site was built without ONNX Runtime') or []
    from PIL import Image
    from modified_resnet import create_model, predict
    model, found = create_model('small', pretrained=True), []
    page, wrong, _ = watched_page(browser, base, LAPTOP, 'light')
    page.goto(f'{base}/try.html')
    with tempfile.TemporaryDirectory() as folder:
        large, other = Path(folder) / 'large.png', Path(folder) / 'other.png'
        Image.open(DOCS / 'try' / 'dog.png').resize((451, 300), Image.Resampling.BICUBIC).save(large)
        other.write_text('no picture')
        for picture in (*sorted((DOCS / 'try').glob('*.png')), large):
            drop(page, picture)
            page.wait_for_timeout(300)
            page.wait_for_function("document.querySelector('#photo .state').textContent === '' && document.querySelectorAll('#photo ol li').length")
            answer = page.evaluate("[...document.querySelectorAll('#photo ol li')].map(row => [row.dataset.name, +row.dataset.probability])")
            expected, = predict(model, picture, top=3)
            if any(a != b or abs(p - q) > .01 for (a, p), (b, q) in zip(answer, expected, strict=True)): found.append(f'Try a photo answers {answer} for {picture.name}, predict {expected}')
        page.set_input_files('#photo input', other)
        page.wait_for_timeout(300)
        state = page.inner_text('#photo .state')
        if 'no picture' not in state: found.append(f'Try a photo says {state!r} of what is no picture')
    return found + wrong


def main() -> int:
    program = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if not program:
        print('site not tested: no browser (chromium) on this machine')
        return 0
    start, names = time.perf_counter(), sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob('*.html') if 'site_libs' not in path.parts)
    if not names: raise SystemExit('there is no site in _docs: make docs')
    if 'content="quarto-' not in (DOCS / 'index.html').read_text(encoding='utf-8'):
        print('site not tested: its pages are not made by Quarto')
        return 0
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright
    pages = {name: Page(DOCS / name) for name in names}
    found = broken_links(pages) + [line for name, page in pages.items() for line in left_raw(DOCS / name) + faults_of(name, page)]
    server, base = serve()
    with sync_playwright() as playwright:
        browser, axe = playwright.chromium.launch(executable_path=program, args=['--no-sandbox']), Axe()
        for width, scheme, some in ((LAPTOP, 'light', names), (PHONE, 'dark', names), (LAPTOP, 'dark', names[::10])): found += look_at_all(browser, base, some, width, scheme, axe)
        found += use(browser, base) + try_photo(browser, base)
        browser.close()
    server.shutdown()
    for line in found: print('FAILED ', line)
    print(f'site: {len(names)} pages looked at in {time.perf_counter() - start:.0f} s, {len(found)} faults')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
