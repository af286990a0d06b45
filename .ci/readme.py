"""Write README.md from nbs/index.ipynb: its prose, its code that is shown, and the text that it printed. Needs no Quarto."""
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTE = '<!-- Made from nbs/index.ipynb by .ci/readme.py: edit the notebook. -->\n'


def options(source: str) -> dict[str, str]:
    "The #| lines of a cell."
    found = re.findall(r'^#\|\s*([\w-]+)\s*:?\s*(.*)$', source, re.M)
    return dict(found)


def printed(output: dict) -> str:
    "What an output shows as Markdown: tables as they are, text as a block."
    data = output.get('data', {})
    if 'text/markdown' in data: return ''.join(data['text/markdown'])
    text = ''.join(output.get('text', data.get('text/plain', []))).rstrip()
    return f'```\n{text}\n```' if text else ''


def cell_text(cell: dict) -> str:
    "A cell as Markdown; nothing for hidden ones."
    source = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown': return source
    chosen = options(source)
    if 'hide' in chosen or chosen.get('include') == 'false': return ''
    code = re.sub(r'^#\|.*\n?', '', source, flags=re.M).strip()
    shown = [] if chosen.get('echo') == 'false' or not code else [f'```python\n{code}\n```']
    return '\n\n'.join(shown + [t for t in map(printed, cell['outputs']) if t])


def main():
    cells = json.loads((ROOT / 'nbs' / 'index.ipynb').read_text(encoding='utf-8'))['cells']
    parts = [text.strip() for text in map(cell_text, cells) if text.strip()]
    (ROOT / 'README.md').write_text(NOTE + '\n' + '\n\n'.join(parts) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
