"""What is made from other pages: the contents with a card for each chapter, the API, a page a module, and the site's own card."""
import base64
import io
import json
import re
from pathlib import Path

import yaml
from PIL import Image

WORDS_A_MINUTE = 150  # of text and code, read to be understood


def shown(cell: dict) -> bool:
    return not re.search(r'^#\| *(hide|echo: *false)\b', ''.join(cell['source']), re.M)


def first_line(path: Path) -> str:
    "What a page says of itself in one line: after `>` in a notebook, the description of another."
    if path.suffix == '.qmd': return yaml.safe_load(path.read_text().split('---')[1]).get('description', '')
    return re.search(r'^> (.+)', ''.join(json.loads(path.read_text())['cells'][0]['source']), re.M)[1]


def minutes(path: Path) -> int:
    "How long it takes to read a notebook."
    words = sum(len(''.join(cell['source']).split()) for cell in json.loads(path.read_text())['cells'] if shown(cell))
    return max(1, round(words / WORDS_A_MINUTE))


def first_figure(path: Path) -> Image.Image | None:
    "The first stored figure of a notebook."
    outputs = (output for cell in json.loads(path.read_text())['cells'] for output in cell.get('outputs', []))
    png = next((''.join(output['data']['image/png']) for output in outputs if 'image/png' in output.get('data', {})), None)
    return Image.open(io.BytesIO(base64.b64decode(png))).convert('RGBA') if png else None


def draw_card(notebooks: Path, site: Path):
    "card.png, which stands beside a link to the site: the figure of the home page, on white."
    figure = first_figure(notebooks / 'index.ipynb')
    figure = figure.resize((1100, round(1100 * figure.height / figure.width)), Image.Resampling.LANCZOS)
    made = Image.new('RGBA', (1200, 630), 'white')
    made.alpha_composite(figure, (50, (630 - figure.height) // 2))
    made.convert('RGB').save(site / 'card.png')


def thumbnail(path: Path, folder: Path) -> str:
    "The first figure of a notebook, at most 480 pixels wide, as a file; its name, or '' if there is no figure."
    figure = first_figure(path)
    if figure is None: return ''
    figure.thumbnail((480, 320), Image.Resampling.LANCZOS)
    folder.mkdir(exist_ok=True)
    figure.quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(folder / f'{path.stem}.png', optimize=True)
    return f'{folder.name}/{path.stem}.png'


def card(href: str, text: str, notebooks: Path, site: Path) -> str:
    "A chapter in the contents: its figure or number, title, line and minutes."
    path = notebooks / href
    picture = thumbnail(path, site / 'thumbs') if path.suffix == '.ipynb' else ''
    number = re.match(r'\d+', text)
    time = f' *{minutes(path)} min*' if number else ''
    sign = f'![{text}]({picture}){{.nolightbox}}' if picture else f'[{number[0]}]{{.sign}}' if number else ''
    return f'- {sign} **[{text}]({href})** {first_line(path)}{time}'


def write_contents(notebooks: Path, site: Path):
    "Add the cards to contents.qmd of the site, in the order of the sidebar."
    sections = yaml.safe_load((notebooks / 'sidebar.yml').read_text())['website']['sidebar']['contents']
    parts = [f'## {section["section"]}\n\n::: {{.cards}}\n' + '\n'.join(card(**page, notebooks=notebooks, site=site) for page in section['contents']) + '\n:::\n'
             for section in sections if 'section' in section]
    page = site / 'contents.qmd'
    page.write_text('\n'.join([page.read_text(), *parts]))


def split_api(folder: Path):
    "Cut the one text of 41_api, as stored, into a page for each module, and leave a table of them in its place."
    path = folder / '41_api.ipynb'
    notebook = json.loads(path.read_text())
    data = next(output['data'] for cell in notebook['cells'] for output in cell.get('outputs', []) if 'text/markdown' in output.get('data', {}))
    rows = ['| module | what it is for | names |', '| :-- | :-- | --: |']
    (folder / 'api').mkdir()
    for module in re.split(r'^## ', ''.join(data['text/markdown']), flags=re.M)[1:]:
        name, _, text = module.partition('\n')
        file, about = name.replace('.', '_') + '.qmd', text.strip().splitlines()[0]
        text = re.sub(r'\]\((?=[\w/]+\.(?:ipynb|qmd))', '](../', re.sub(r'^### ', '## ', text, flags=re.M))
        (folder / 'api' / file).write_text(f'---\ntitle: "{name}"\nrepo-actions: false\n---\n\n{text.strip()}\n')
        rows.append(f'| [{name}](api/{file}) | {about} | {len(re.findall("^## ", text, re.M))} |')
    data['text/markdown'] = '\n'.join(rows)
    path.write_text(json.dumps(notebook))
