"""What the page "Try a photo" loads: Small as an ONNX file, and ONNX Runtime for browsers from npm.

Without npm or a network the site is built all the same, and the page says why it does not answer.
"""
import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

RUNTIME = 'onnxruntime-web@1.30.0'
INTEGRITY = 'q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=='  # SHA-512
FILES = 'ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm'


def write_network(folder: Path):
    "Small's weights, its classes and the size of its images."
    from modified_resnet import create_model, export
    model = create_model('small', pretrained=True)
    export(model, folder / 'small.onnx')
    about = {'classes': model.metadata.classes, 'size': model.metadata.image_size}
    (folder / 'model.json').write_text(json.dumps(about))


def fetch_runtime(folder: Path):
    "ONNX Runtime for the CPU. Raises SystemExit for a package with other content than the one that was tried."
    npm = shutil.which('npm')
    with tempfile.TemporaryDirectory() as scratch:
        done = npm and subprocess.run([npm, 'pack', '--silent', '--prefer-offline', RUNTIME], cwd=scratch, capture_output=True, timeout=300)
        if not done or done.returncode: return print(f'no {RUNTIME}, since npm {"cannot fetch it" if npm else "is not there"}: "Try a photo" will not answer')
        archive, = Path(scratch).glob('*.tgz')
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != INTEGRITY: raise SystemExit(f'{RUNTIME} has the SHA-512 {found}, want {INTEGRITY}')
        with tarfile.open(archive) as package:
            for name in FILES: (folder / name).write_bytes(package.extractfile(f'package/dist/{name}').read())
