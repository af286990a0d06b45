"""For a notebook that was opened alone, on Colab or Kaggle: its first cell clones the book, and runs this in the clone.

Installs what the book needs and the host has not. PyTorch and torchvision stay the host's own; nbdev, JupyterLab and the
other tools of the developers are left out. The package is the clone's own, for the notebook and for processes it starts.
"""
import os
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ['fastcore', 'hypothesis', 'scipy']  # what chapters use beyond the package's own requirements


def is_missing(requirement: str) -> bool:
    "Is nothing installed of the name of a requirement, as in 'numpy>=1.26', in whatever version?"
    name = requirement.partition('>')[0]
    if name in ('torch', 'torchvision'): return False
    try: version(name)
    except PackageNotFoundError: return True
    return False


def main():
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / 'settings.ini')
    missing = [*filter(is_missing, settings['DEFAULT']['requirements'].split() + TESTS)]
    if missing: subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', *missing], check=True)
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
        os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
    import torch
    print(f'GPU: {torch.cuda.get_device_name()}' if torch.cuda.is_available() else
          'no GPU here: the slow cells will be slow (on Colab: Runtime, Change runtime type)')


if __name__ == '__main__': main()
