"""A script as a user writes it. `.ci/package_test.py` runs it with the installed package, and shows it to a type checker."""
import sys
from pathlib import Path

from modified_resnet import create_model, evaluate, export, fit, ImageSet, load, load_data, predict, Recipe

folder = Path(sys.argv[1])
train, test = load_data('digits')
model = create_model('8-16')
run = fit(model, train, test, Recipe(epochs=2, validation=200), out=folder / 'run', device='cpu')
result = evaluate(run.model, test, tta=2)
worst = min(result.report(), key=lambda row: row['recall'])
print(f'{len(run.history)} epochs, {result.accuracy:.1%} of {len(test)} images are correct; worst class: {worst["class"]}')
again = load(folder / 'run')
for name, probability in predict(again, test.images[:4], top=2)[0]: print(f'{name} {probability:.1%}')
export(again, folder / 'digits.safetensors', classes=again.metadata.classes)
few = [ImageSet(part.images[part.labels < 3], part.labels[part.labels < 3], part.classes[:3]) for part in (train, test)]
tuned = fit(create_model('small', pretrained=True, num_classes=3), few[0], few[1], Recipe(epochs=1), validation=None, out=None)
print(f'{tuned.history[-1]["test_accuracy"]:.1%} after one epoch of fine-tuning')
