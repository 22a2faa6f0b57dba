"""
The local model of synthema on libtorch.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import synthema._core
import typing
__all__: list[str] = ['LocalModel', 'TextEncoder', 'Transformer', 'built_with_torch']
class Transformer:
    """
    A decoder of the Llama family; for scores and tests. Generation: synthema.Model.
    """
    def __init__(self, path: str, device: str = 'cpu', dtype: str = 'float32', threads: typing.SupportsInt | typing.SupportsIndex = 0, kv_dtype: str = 'float32') -> None:
        ...
    def logits(self, tokens: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> numpy.typing.NDArray[numpy.float32]:
        """
        Logits after each token: an array {tokens, vocabulary}.
        """
    @property
    def context_limit(self) -> int:
        """
        Most tokens of one sequence.
        """
    @property
    def numeric_path(self) -> str:
        """
        The arithmetic: type of the products, of keys and values, and the kernels.
        """
    @property
    def vocabulary_size(self) -> int:
        """
        Number of token ids.
        """
class LocalModel(synthema._core.CompletionModel):
    """
    A model file that answers in this process.
    """
    def __init__(self, path: str, *, device: str = 'cpu', dtype: str = 'auto', threads: typing.SupportsIndex = 0, slots: typing.SupportsIndex = 0, chat_template: str | None = None, kv_dtype: str = 'auto', kv_memory: typing.SupportsIndex | None = None) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def count_tokens(self, text: str) -> int:
        """
        Tokens of a plain prompt.
        """
    def score(self, texts: collections.abc.Sequence[str]) -> list[list[float]]:
        """
        Natural log-probability of each token of each text given those before it.
        """
    def seconds_by_part(self) -> dict:
        """
        Seconds that all threads together have spent on each part of a step since the model was loaded.
        """
    @property
    def chat_template(self) -> str:
        """
        Name of the family whose chat template is used; 'none' for base models.
        """
    @property
    def context_limit(self) -> int:
        """
        Tokens that prompt and answer may have together.
        """
class TextEncoder:
    """
    An encoder of texts; see synthema.Embedder.
    """
    def __call__(self, texts: collections.abc.Sequence[str]) -> numpy.typing.NDArray[numpy.float32]:
        """
        The same as embed.
        """
    def __init__(self, path: str, *, dtype: str = 'float32', threads: typing.SupportsIndex = 0, max_tokens: typing.SupportsIndex = 0) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def embed(self, texts: collections.abc.Sequence[str]) -> numpy.typing.NDArray[numpy.float32]:
        """
        One vector a text: an array {texts, width}. A UserWarning says how many texts were too long.
        """
    def embed_tokens(self, texts: collections.abc.Sequence[str]) -> list[numpy.typing.NDArray[numpy.float32]]:
        """
        One vector a token, without special tokens: an array {tokens, width} a text. For `bert_score`.
        """
    def tokens(self, text: str) -> list[int]:
        """
        The ids of a text with those before and after it, cut to max_tokens.
        """
    @property
    def digest(self) -> str:
        """
        SHA-256 of all files that were read.
        """
    @property
    def max_tokens(self) -> int:
        """
        Longer texts are cut here.
        """
    @property
    def name(self) -> str:
        """
        Model, digest, pooling and numeric path.
        """
    @property
    def numeric_path(self) -> str:
        """
        The arithmetic: type of the products and the kernels.
        """
    @property
    def width(self) -> int:
        """
        Numbers in a vector.
        """
class _AnyOrderNetwork:
    """
    A network that learns each column given any others.
    """
    @staticmethod
    def load(file: bytes, path: str = '') -> _AnyOrderNetwork:
        """
        The generator of such bytes; ModelError where they are none.
        """
    def __init__(self, *, target: str = '', size: str = 'medium', rare_below: typing.SupportsInt | typing.SupportsIndex = 5, rounds: typing.SupportsInt | typing.SupportsIndex = 100, patience: typing.SupportsInt | typing.SupportsIndex = 3, validation: typing.SupportsFloat | typing.SupportsIndex = 0.1, members: typing.SupportsInt | typing.SupportsIndex = 0, rate: typing.SupportsFloat | typing.SupportsIndex = 0.0, seed: typing.SupportsInt | typing.SupportsIndex = 0, temperature: collections.abc.Mapping[str, typing.SupportsFloat | typing.SupportsIndex] = {}, epsilon: typing.SupportsFloat | typing.SupportsIndex | None = None, delta: typing.SupportsFloat | typing.SupportsIndex = 1e-06, clip: typing.SupportsFloat | typing.SupportsIndex = 1.0, sampling_rate: typing.SupportsFloat | typing.SupportsIndex = 0.1, steps: typing.SupportsInt | typing.SupportsIndex = 150, rows_per_person: typing.SupportsInt | typing.SupportsIndex = 1, bins: typing.SupportsInt | typing.SupportsIndex = 32, first_share: typing.SupportsFloat | typing.SupportsIndex = 0.2, pairs_share: typing.SupportsFloat | typing.SupportsIndex = 0.4, infer: bool = True, ledger: str = '', threads: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def describe(self, each_release: bool = True) -> str:
        """
        The promise and what was spent where, or on how many kinds of release, for people.
        """
    def fit(self, real: synthema._core.Table, progress: typing.Any = None, cancel: synthema._core.CancelToken | None = None) -> None:
        """
        Learn from a table; starts afresh.
        """
    def fit_columns(self, schema: synthema._core.Schema, rows: typing.SupportsInt | typing.SupportsIndex, read: collections.abc.Callable, spill: str = '', progress: typing.Any = None, cancel: synthema._core.CancelToken | None = None) -> None:
        """
        Learn from columns that are read one after the other; `read` gives a table of the one asked for.
        """
    def fit_stated(self, real: synthema._core.Table, stated: bool, test_noise: typing.SupportsInt | typing.SupportsIndex | None = None, progress: typing.Any = None, cancel: synthema._core.CancelToken | None = None) -> None:
        """
        Learn from a table; `stated`: its schema is public.
        """
    def impute(self, table: synthema._core.Table, seed: typing.SupportsInt | typing.SupportsIndex = 0, progress: typing.Any = None, cancel: synthema._core.CancelToken | None = None) -> synthema._core.Table:
        """
        The table with missing cells drawn given the others.
        """
    def log_prob(self, rows: synthema._core.Table, progress: typing.Any = None, cancel: synthema._core.CancelToken | None = None) -> numpy.typing.NDArray[numpy.float64]:
        """
        Natural logarithm of the probability of each row.
        """
    def sample(self, rows: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex = 0, conditions: synthema._core.Table = None, progress: typing.Any = None, cancel: synthema._core.CancelToken | None = None) -> synthema._core.Table:
        """
        A table of exactly these rows.
        """
    def save(self) -> bytes:
        """
        The fitted generator as bytes of a file.
        """
    @property
    def is_private(self) -> bool:
        """
        Whether nobody can repeat its noise.
        """
    @property
    def ledger(self) -> synthema._core.Ledger:
        """
        What the artefact cost.
        """
    @property
    def name(self) -> str:
        """
        Name of the method.
        """
    @property
    def one_label(self) -> list[str]:
        """
        Columns of which one label alone could be told.
        """
    @property
    def options(self) -> dict:
        """
        What it was made with.
        """
    @property
    def order(self) -> list[str]:
        """
        Columns in the order in which they are drawn.
        """
    @property
    def parameters(self) -> int:
        """
        How many numbers were learnt, of all members.
        """
    @property
    def rounds(self) -> int:
        """
        Rounds that were learnt.
        """
    @property
    def schema(self) -> synthema._core.Schema:
        """
        Of the rows it makes.
        """
    @property
    def spending(self) -> list:
        """
        What was spent where.
        """
    @property
    def unresolved(self) -> list[str]:
        """
        Columns whose resolution could not be told.
        """
    @property
    def untold(self) -> list[str]:
        """
        Columns of which nothing could be told.
        """
    @property
    def validation_loss(self) -> float:
        """
        Nats a row, of classes.
        """
built_with_torch: str
