"""Stores the charts in the notebooks with a palette: a third of the weight for the repository and every reader of the site. Photographs stay.

Also takes away the wish for a white ground, which Jupyter would draw behind a transparent chart in the dark.
"""
import base64
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageStat
from sklearn.cluster import KMeans

NOTEBOOKS = Path(__file__).resolve().parents[1] / 'nbs'


def palette_of(picture: Image.Image) -> Image.Image:
    "A picture with the 256 colours that are nearest to all of its own, transparency included."
    pixels = np.asarray(picture.convert('RGBA'))
    colors, place, count = np.unique(pixels.reshape(-1, 4), axis=0, return_inverse=True, return_counts=True)
    if len(colors) > 256:  # by k-means; of a photograph, with more colours than a chart has, nothing good can come
        means = KMeans(256, n_init=1, random_state=0).fit(colors, sample_weight=count ** .5)
        colors, place = means.cluster_centers_.round().astype('uint8'), means.labels_[place.ravel()]
    small = Image.fromarray(place.reshape(pixels.shape[:2]).astype('uint8'), 'P')
    small.putpalette(colors.tobytes(), 'RGBA')
    return small


def lighter(png: str) -> str:
    "A PNG in base64 with a palette of 256 colours, if the eye cannot tell and it is smaller; one that has a palette is left as it is."
    picture, small = Image.open(io.BytesIO(base64.b64decode(png))), io.BytesIO()
    if picture.mode == 'P' or picture.getcolors(20_000) is None: return png
    palette = palette_of(picture)
    difference = ImageChops.difference(picture.convert('RGBA'), palette.convert('RGBA'))
    if sum(ImageStat.Stat(difference).mean) / 4 > .5: return png  # of 255
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
