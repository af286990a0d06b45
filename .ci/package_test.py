"""The package as pip and a user's tools see it: sdist and wheel, in an environment of its own; fetches nothing, installs nothing here.

Needs the environment that settings.ini describes (its torch is the one that is used), on Linux, macOS or Windows.
"""
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [*'settings.ini setup.py MANIFEST.in README.md LICENSE CITATION.cff CHANGELOG.md constraints.txt hubconf.py Makefile'.split()]
QUIET = {'TQDM_DISABLE': '1', 'MPLBACKEND': 'agg', 'PIP_NO_INDEX': '1', 'PIP_DISABLE_PIP_VERSION_CHECK': '1'}


def run(*command, code: int = 0, **options) -> str:
    "What a command prints, on both streams; AssertionError with it if its exit code is another."
    done = subprocess.run([str(word) for word in command], text=True, encoding='utf-8', stdin=subprocess.DEVNULL,
                          **dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | QUIET) | options)
    assert done.returncode == code, f'{" ".join(map(str, command))}: exit code {done.returncode}\n{done.stdout}'
    return done.stdout


def copy_sources(folder: Path):
    "What a build reads, without what earlier builds left."
    shutil.copytree(ROOT / 'modified_resnet', folder / 'modified_resnet', ignore=shutil.ignore_patterns('__pycache__'))
    for name in SOURCES: shutil.copy(ROOT / name, folder)


def test_build(source: Path) -> Path:
    "The sdist builds, and the wheel from it has all that is in the package. The wheel."
    run(sys.executable, '-m', 'build', '--no-isolation', cwd=source)  # the wheel is made from the sdist, not from here
    wheel, = (source / 'dist').glob('*.whl')
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    package = {path.relative_to(source) for path in (source / 'modified_resnet').rglob('*') if path.is_file()}
    assert package <= names, f'not in the wheel: {sorted(map(str, package - names))}'
    assert Path('modified_resnet/py.typed') in names, 'without py.typed, type checkers take the package for untyped'
    return wheel


def new_environment(folder: Path) -> Path:
    "A new virtual environment that sees the packages installed here, but not the editable install of this one. Its Python."
    run(sys.executable, '-m', 'venv', '--without-pip', folder)
    python, = [path for path in folder.glob('*/python*') if path.stem == 'python']
    packages = Path(run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))').strip())
    (packages / 'here.pth').write_text(sysconfig.get_path('purelib') + '\n', encoding='utf-8')  # its own .pth files are not read
    return python


def test_installed(source: Path, python: Path, scratch: Path):
    "The sdist installs, and what was installed answers, from a folder without the source."
    sdist, = (source / 'dist').glob('*.tar.gz')
    run(sys.executable, '-m', 'pip', '--python', python, 'install', '--quiet', '--no-deps', '--no-build-isolation', '--ignore-installed', sdist)
    environment = {'env': {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'} | QUIET, 'cwd': scratch}
    found = run(python, '-c', 'import modified_resnet; print(modified_resnet.__file__)', **environment)
    assert Path(found.strip()).is_relative_to(python.parents[1]), f'{found.strip()} was imported, not what was installed'
    run(python, '-c', 'from PIL import Image; Image.new("RGB", (40, 30), "red").save("photo.png")', **environment)
    command, = python.parent.glob('modified-resnet*')
    said = run(command, 'predict', 'photo.png', **environment)
    assert said.startswith('photo.png: ') and '%' in said, said
    said = run(python, ROOT / '.ci' / 'user.py', scratch / 'user', **environment)
    assert '2 epochs' in said and 'fine-tuning' in said and (scratch / 'user' / 'digits.safetensors').is_file(), said


def test_types(python: Path, scratch: Path):
    "A type checker has nothing to say about a user's script. Told a lie, or a name from another module, it has."
    script = (ROOT / '.ci' / 'user.py').read_text(encoding='utf-8')
    wrong = script.replace('epochs=2', "epochs='two'").replace('from modified_resnet import', 'from modified_resnet.runs import torch\nfrom modified_resnet import')
    for name, text in (('user.py', script), ('wrong.py', wrong)): (scratch / name).write_text(text, encoding='utf-8')
    config = scratch / 'pyrightconfig.json'
    config.write_text(json.dumps({'include': ['*.py'], 'typeCheckingMode': 'basic'}), encoding='utf-8')
    command = [sys.executable, '-m', 'basedpyright', '--outputjson', '--pythonpath', python, '-p', config]
    found = json.loads(run(*command, code=1, stderr=subprocess.DEVNULL))['generalDiagnostics']
    assert {Path(one['file']).name for one in found} == {'wrong.py'}, found
    assert {one['rule'] for one in found} == {'reportArgumentType', 'reportPrivateImportUsage'}, found  # the second wants py.typed


def test_partners_stay(wheel: Path):
    "Where a torch and its torchvision are installed, pip installs the package beside them and replaces neither."
    said = run(sys.executable, '-m', 'pip', 'install', '--dry-run', '--no-index', wheel)
    assert not any('torch' in line for line in said.splitlines() if line.startswith('Would install')), said


def test_one_lower_bound():
    "The oldest Python, written once in settings.ini, is the one that is asked for everywhere."
    config = ConfigParser(delimiters=['='])
    config.read(ROOT / 'settings.ini', encoding='utf-8')
    oldest = config['DEFAULT']['min_python']
    for name in ('README.md', '.ci/run', 'Makefile', 'nbs/35_photographs.ipynb'):
        assert f'Python {oldest} or newer' in (ROOT / name).read_text(encoding='utf-8'), f'{name} does not ask for Python {oldest} or newer'
    workflow = (ROOT / '.github' / 'workflows' / 'test.yml').read_text(encoding='utf-8')
    assert f'"{oldest}"' in workflow, f'no workflow runs Python {oldest}'


def test_make(source: Path, scratch: Path):
    "What make says where it cannot install, and where the hook finds no nbdev: the reason, and nothing is installed."
    said = run('make', f'VENV={scratch / "venv"}', f'PYTHON={sys.executable}', scratch / 'venv' / '.installed', code=2, cwd=source)
    assert 'ERROR: No matching distribution found' in said, said  # pip's word; the network is not the only reason there is
    assert 'for the reason that pip gives above. Repeat the command' in said and 'network' not in said, said
    tools = scratch / 'tools'
    tools.mkdir()
    bare = {'env': os.environ | {'PATH': f'{tools}{os.pathsep}/usr/bin{os.pathsep}/bin'}, 'cwd': source}
    if not shutil.which('nbdev_export', path=bare['env']['PATH']):
        said = run('make', 'hook', code=2, **bare)
        assert 'nbdev is not installed' in said and 'make prepare' in said and not (source / '.venv').exists(), said
    for name in ('nbdev_export', 'nbdev_clean', 'python'):  # stand for those of an environment that is active
        (tools / name).write_text(f'#!/bin/sh\necho called {name} "$@"\n', encoding='utf-8')
        (tools / name).chmod(0o755)
    said = run('make', '--no-print-directory', 'hook', **bare)  # which a make that runs these tests would switch on
    assert said.split('\n')[:3] == ['called nbdev_export', 'called python .ci/outputs.py', 'called nbdev_clean'], said
    assert not (source / '.venv').exists()


def main():
    with tempfile.TemporaryDirectory() as folder:
        source, scratch = (Path(folder).resolve() / name for name in ('source', 'scratch'))
        scratch.mkdir()
        copy_sources(source)
        test_one_lower_bound()
        wheel = test_build(source)
        python = new_environment(Path(folder).resolve() / 'environment')
        test_installed(source, python, scratch)
        test_types(python, scratch)
        test_partners_stay(wheel)
        if shutil.which('make') and os.name == 'posix': test_make(source, scratch)
    print(f'{wheel.name} builds, installs, answers and has types')


if __name__ == '__main__':
    main()
