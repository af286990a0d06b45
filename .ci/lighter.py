"""Stores the charts in the notebooks with a palette: a third of the weight for the repository and every reader of the site. Photographs stay.

Also takes away the wish for a white ground, which Jupyter would draw behind a transparent chart in the dark.
"""
import base64
import io
import json
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

NOTEBOOKS = Path(__file__).resolve().parents[1] / 'nbs'


def lighter(png: str) -> str:
    "A PNG in base64 with a palette of 256 colours, if the eye cannot tell and it is smaller; one that has a palette is left as it is."
    picture, small = Image.open(io.BytesIO(base64.b64decode(png))), io.BytesIO()
    if picture.mode == 'P': return png
    picture = picture.convert('RGBA')
    palette = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    if sum(ImageStat.Stat(ImageChops.difference(picture, palette.convert('RGBA'))).mean) / 4 > .5: return png  # of 255
    palette.save(small, 'PNG', optimize=True)
    text = base64.b64encode(small.getvalue()).decode()
    return text if len(text) < len(png) else png


def main():
    for path in sorted(NOTEBOOKS.rglob('*.ipynb')):
        notebook = json.loads(path.read_text())
        changed = False
        for output in (output for cell in notebook['cells'] for output in cell.get('outputs', [])):
            data = output.get('data', {})
            if 'image/png' not in data: continue
            changed = bool(output['metadata'].pop('needs_background', None)) or changed
            before = ''.join(data['image/png']).strip()
            after = lighter(before)
            if after != before: data['image/png'], changed = after, True
        if not changed: continue
        partial = path.with_suffix('.partial')  # a notebook is the source: whole, or as it was
        partial.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + '\n')
        partial.replace(path)


if __name__ == '__main__':
    main()
