"""A script as a user writes it. `.ci/package_test.py` runs it with the installed package, and shows it to a type checker."""
import sys
from pathlib import Path

from modified_resnet.checkpoints import load_model
from modified_resnet.evaluation import accuracy, classification_report, evaluate
from modified_resnet.folders import load_data
from modified_resnet.inference import export, predict_proba, top
from modified_resnet.models import create_model, parameter_count
from modified_resnet.recipe import Recipe
from modified_resnet.runs import fit

folder = Path(sys.argv[1])
print(f'{parameter_count(create_model("small")):,} parameters')
train, test = load_data('digits')
run = fit('8-16', train, test, Recipe(epochs=2), out=folder / 'run', device='cpu')
evaluation = evaluate(run.model, test)
worst = min(classification_report(evaluation.confusion, test.classes), key=lambda row: row['recall'])
print(f'{len(run.history)} epochs, {accuracy(evaluation):.1%} of {len(test)} images right; the worst class is {worst["class"]}')
model, about = load_model(folder / 'run' / 'best.pt')
for name, probability in top(predict_proba(model, test.images[:4])[0], test.classes, k=2):
    print(f'{name} {probability:.1%}')
export(model, folder / 'digits.safetensors', classes=about.classes)
