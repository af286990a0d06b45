"""Three residual networks under five million parameters, for images: train, evaluate, use.

The names below are loaded when they are asked for, so that importing the package is quick and needs no PyTorch."""
import importlib
import os
import sys
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:  # for editors and type checkers
    from .blocks import BasicBlock
    from .data import ImageSet
    from .evaluation import evaluate, Evaluation
    from .figures import plot_history
    from .folders import load_data
    from .inference import class_activation_map, export, load, predict
    from .models import create_model, ResNet, ResNetLarge, ResNetMedium, ResNetSmall
    from .recipe import Recipe, Speed
    from .runs import fit, Run
    from .trainer import Trainer

_ROOMS = dict(
    blocks=('BasicBlock',), data=('ImageSet',), evaluation=('Evaluation', 'evaluate'), figures=('plot_history',),
    folders=('load_data',), inference=('class_activation_map', 'export', 'load', 'predict'),
    models=('ResNet', 'ResNetLarge', 'ResNetMedium', 'ResNetSmall', 'create_model'), recipe=('Recipe', 'Speed'),
    runs=('Run', 'fit'), trainer=('Trainer',))
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    'BasicBlock', 'Evaluation', 'ImageSet', 'Recipe', 'ResNet', 'ResNetLarge', 'ResNetMedium', 'ResNetSmall', 'Run',
    'Speed', 'Trainer', 'class_activation_map', 'create_model', 'evaluate', 'export', 'fit', 'load', 'load_data',
    'plot_history', 'predict']


def __getattr__(name: str):
    if name not in _ROOM_OF: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = globals()[name] = getattr(importlib.import_module(f'.{_ROOM_OF[name]}', __name__), name)
    return value


def __dir__(): return sorted({*globals(), *__all__})


if os.environ.get('IN_TEST') == '1' and 'OMP_NUM_THREADS' not in os.environ:
    os.environ['OMP_NUM_THREADS'] = '1'  # nbdev_test has a worker on every core: so its tests end four times sooner
    if 'torch' in sys.modules: sys.modules['torch'].set_num_threads(1)
