"""
synthema's C++ core: tables, prompts, models, generators, evaluators, reports.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
import typing_extensions
__all__: list[str] = ['AnswerForms', 'Bm25', 'Bound', 'CancelToken', 'Cancelled', 'ChatTemplate', 'Check', 'Completion', 'CompletionModel', 'CompletionRequest', 'ConfigError', 'Curve', 'DesignEncoding', 'Draft', 'Error', 'EvaluationContext', 'EvaluationError', 'Evaluator', 'ExponentialMechanism', 'Field', 'FieldRule', 'FormConstraint', 'GaussianMechanism', 'GenerationError', 'GroupRule', 'Interval', 'LaplaceMechanism', 'Learner', 'Ledger', 'LedgerEntry', 'LedgerFile', 'Message', 'ModelError', 'ModelFile', 'ParseError', 'PolicyError', 'Predictor', 'PrivacyBudgetError', 'PrivacyLossDistribution', 'Progress', 'Prompt', 'PromptStrategy', 'Random', 'RenyiAccountant', 'Report', 'RunFolderError', 'Sampling', 'Schema', 'SchemaError', 'Score', 'ScorePart', 'SuiteOptions', 'Table', 'Task', 'TfIdf', 'Timing', 'TokenCounts', 'Tokenizer', 'VerifyDifference', 'VerifyResult', 'all_evaluators', 'auroc', 'average_precision', 'balanced_accuracy', 'banned_words', 'best_of', 'boosted_trees', 'brier_score', 'calibration_error', 'concept_recovered', 'corpus_bleu', 'corpus_chrf', 'discrete_gaussian', 'discrete_laplace', 'ends_with_punctuation', 'evaluate_all', 'evaluator_named', 'exponential_choice', 'f1_score', 'few_shot', 'find_identifiers', 'in_language', 'json_record', 'label_columns', 'label_conditioned', 'length_in_words', 'likely_enough', 'linear_coefficients', 'linear_model', 'longest_common_run', 'matches_choice', 'multiclass_auroc', 'ngram_model', 'no_exemplar_copy', 'one_line', 'porter_stem', 'privacy_epsilon', 'privacy_noise_multiplier', 'r_squared', 'read_manifest', 'rouge', 'scripted_model', 'self_bleu', 'sentence_bleu', 'sentence_chrf', 'sentence_count', 'table_suite', 'text_privacy_suite', 'text_suite', 'tokens_13a', 'words', 'zero_shot']
class Error(Exception):
    """
    The root of all errors that synthema raises on purpose.
    """
class SchemaError(Error):
    """
    A table or record does not fit its schema, or the schema is inconsistent.
    """
class ParseError(Error):
    """
    A CSV, JSON, JSONL or TOML text is broken; the message says where.
    """
class ModelError(Error):
    """
    A model file or folder is broken, unsupported or does not fit the request.
    """
class ConfigError(Error):
    """
    Options that contradict each other or are out of range.
    """
class GenerationError(Error):
    """
    A run cannot reach its target, or a strategy misbehaved.
    """
class RunFolderError(Error):
    """
    A run folder is damaged, belongs to another run, or does not verify.
    """
class EvaluationError(Error):
    """
    An evaluator was given data that it cannot use.
    """
class PolicyError(Error):
    """
    The schema forbids what was asked: the data may not leave the machine.
    """
class PrivacyBudgetError(Error):
    """
    A release would spend more than the privacy budget of its ledger.
    """
class Cancelled(Error):
    """
    The work was cancelled by the caller.
    """
class Progress:
    """
    How far a phase of the work has come.
    """
    def __repr__(self) -> str:
        ...
    @property
    def done(self) -> int:
        """
        Units done.
        """
    @property
    def note(self) -> str:
        """
        Details for people.
        """
    @property
    def phase(self) -> str:
        """
        What is being done.
        """
    @property
    def tokens(self) -> int:
        """
        Generated so far, by rejected attempts too; 0 if not known.
        """
    @property
    def total(self) -> int:
        """
        Units in all; 0 if not known.
        """
class CancelToken:
    """
    A request to stop, shared by all copies.
    """
    def __init__(self) -> None:
        ...
    def cancel(self) -> None:
        """
        Ask to stop; the work under way ends with Cancelled.
        """
    @property
    def cancelled(self) -> bool:
        """
        Whether someone asked to stop.
        """
class Random:
    """
    A counter-based random stream (Philox4x32-10): same seed, same draws, everywhere.
    """
    def __init__(self, seed: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def below(self, n: typing.SupportsInt | typing.SupportsIndex) -> int:
        """
        An integer in [0, n).
        """
    def choice(self, items: collections.abc.Sequence) -> typing.Any:
        """
        One of the items, all equally likely.
        """
    def sample(self, items: collections.abc.Sequence, k: typing.SupportsInt | typing.SupportsIndex) -> list:
        """
        k different items in random order.
        """
    def stream(self, index: typing.SupportsInt | typing.SupportsIndex) -> Random:
        """
        An independent child stream; this one is not moved.
        """
    def uniform(self) -> float:
        """
        A number in [0, 1).
        """
    def weighted(self, weights: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex]) -> int:
        """
        An index drawn in proportion to the weights.
        """
class Field:
    """
    What one column means.
    
    Parameters
    ----------
    name : str
        Name of the column; unique within a schema.
    kind : str
        'real', 'integer', 'category', 'boolean', 'text', 'time' or 'list'.
    roles : list of str
        Any of 'identifier', 'subject', 'label', 'time', 'target', 'sensitive'.
    description, unit, code_system : str
        For people; the unit in UCUM ('mg/dL'), the code system by name ('ICD-10-CM').
    minimum, maximum : float or str, optional
        Inclusive range of a real, integer or time field; of times as text ('2026-01-31') or in microseconds.
    categories : list of str, optional
        Allowed labels of a category, in their order; None means any, an empty list is an error.
    nullable : bool
        Whether values may be missing.
    item : str
        Kind of the elements of a list.
    minimum_length, maximum_length : int, optional
        Of a text in characters, of a list in elements.
    decimals : int, optional
        Of a real field when a model writes it, 0 to 9.
    """
    __hash__: None  # type: ignore[assignment]
    def __eq__(self, other: object, /) -> bool:
        ...
    def __init__(self, name: str, kind: str = 'text', *, roles: collections.abc.Sequence[str] = [], description: str = '', unit: str = '', minimum: typing.SupportsFloat | typing.SupportsIndex | str | None = None, maximum: typing.SupportsFloat | typing.SupportsIndex | str | None = None, categories: collections.abc.Sequence[str] | None = None, code_system: str = '', nullable: bool = True, item: str = 'text', minimum_length: typing.SupportsInt | typing.SupportsIndex | None = None, maximum_length: typing.SupportsInt | typing.SupportsIndex | None = None, decimals: typing.SupportsInt | typing.SupportsIndex | None = None) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def has(self, role: str) -> bool:
        """
        Whether the field has this role.
        """
    @property
    def categories(self) -> list[str]:
        """
        Allowed labels of a category, in their order; empty: any.
        """
    @property
    def code_system(self) -> str:
        """
        Name of the code system, such as 'ICD-10-CM'; empty: none.
        """
    @property
    def decimals(self) -> int | None:
        """
        Decimals of a real when a model writes it, or None.
        """
    @property
    def description(self) -> str:
        """
        What the column is, for people.
        """
    @property
    def item(self) -> str:
        """
        Kind of the elements of a list.
        """
    @property
    def kind(self) -> str:
        """
        'real', 'integer', 'category', 'boolean', 'text', 'time' or 'list'.
        """
    @property
    def maximum(self) -> float | None:
        """
        Largest allowed value, or None; of times in microseconds since 1970.
        """
    @property
    def maximum_length(self) -> int | None:
        """
        Most characters of a text or elements of a list, or None.
        """
    @property
    def minimum(self) -> float | None:
        """
        Smallest allowed value, or None; of times in microseconds since 1970.
        """
    @property
    def minimum_length(self) -> int | None:
        """
        Fewest characters of a text or elements of a list, or None.
        """
    @property
    def name(self) -> str:
        """
        Name of the column.
        """
    @property
    def nullable(self) -> bool:
        """
        Whether values may be missing.
        """
    @property
    def roles(self) -> list[str]:
        """
        Any of 'identifier', 'subject', 'label', 'time', 'target', 'sensitive'; empty: an ordinary feature.
        """
    @property
    def unit(self) -> str:
        """
        UCUM unit, such as 'mg/dL'; empty: none.
        """
class FieldRule:
    """
    What a field may be, given an earlier field of the same row.
    
    A rule says nothing where one of the two is missing. Rows are checked against the rules of their schema, and a model
    that writes JSON under a schema can only write rows that keep them.
    
    Parameters
    ----------
    field : str
        What is limited.
    given : str
        The field that it depends on; stands before it in the schema.
    labels : list of str
        The rule holds where `given` is one of these.
    lowest, highest : float or str, optional
        The rule holds where `given` lies in this range, both ends included. Neither labels nor range: it always holds.
    relation : str
        To the value of `given`: '<', '<=', '=', '>=' or '>'; for categories '=' or '!='.
    minimum, maximum : float or str, optional
        Inclusive range that `field` must then have.
    categories : list of str
        `field` must then be one of these; of a boolean 'true' or 'false'.
    
    Examples
    --------
    >>> FieldRule("discharge", "admission", relation=">=")
    FieldRule('discharge', given 'admission')
    >>> FieldRule("diagnosis", "sex", labels=["male"], categories=["asthma", "prostatitis"])
    FieldRule('diagnosis', given 'sex')
    """
    __hash__: None  # type: ignore[assignment]
    def __eq__(self, other: object, /) -> bool:
        ...
    def __init__(self, field: str, given: str, *, labels: collections.abc.Sequence[str] = [], lowest: typing.SupportsFloat | typing.SupportsIndex | str | None = None, highest: typing.SupportsFloat | typing.SupportsIndex | str | None = None, relation: str = '', minimum: typing.SupportsFloat | typing.SupportsIndex | str | None = None, maximum: typing.SupportsFloat | typing.SupportsIndex | str | None = None, categories: collections.abc.Sequence[str] = []) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def categories(self) -> list[str]:
        """
        Labels that the field may then have; empty: any.
        """
    @property
    def field(self) -> str:
        """
        Name of the field that is limited.
        """
    @property
    def given(self) -> str:
        """
        Name of the earlier field that it depends on.
        """
    @property
    def highest(self) -> float | None:
        """
        The rule holds where `given` is at most this, or None; of times in microseconds.
        """
    @property
    def labels(self) -> list[str]:
        """
        The rule holds where `given` is one of these; empty: whatever it is.
        """
    @property
    def lowest(self) -> float | None:
        """
        The rule holds where `given` is at least this, or None; of times in microseconds.
        """
    @property
    def maximum(self) -> float | None:
        """
        Largest value that the field may then have, or None.
        """
    @property
    def minimum(self) -> float | None:
        """
        Smallest value that the field may then have, or None.
        """
    @property
    def relation(self) -> str:
        """
        Of the field's value to that of `given`: '<', '<=', '=', '>=', '>' or '!='; empty: none.
        """
class GroupRule:
    """
    What several fields of a row must be together.
    
    Generators of tables keep it by construction; rows of models are checked against it.
    
    Parameters
    ----------
    kind : str
        'one_hot': exactly one of the fields is set (true, or not zero). 'exclusive': at most one is. 'sum': `total` is
        the sum of the fields. 'unique': no two rows of a table have the same values in all of the fields.
        'combinations': the values of the fields stand together in one of `rows`, or, where none are listed, in real
        rows; of those that fewer than `rare_below` people have, a generator makes none.
    fields : list of str
        Boolean or number fields; of 'unique' and 'combinations' anything but lists. A missing field is not set, and a
        sum with a missing member says nothing.
    total : str
        Of a sum: the field that holds it.
    rows : list of list
        Of 'combinations': values in the order of the fields. None is a missing one, and has to be listed where it may be.
    
    Examples
    --------
    >>> GroupRule("one_hot", ["stage_1", "stage_2", "stage_3"])
    GroupRule('one_hot', ['stage_1', 'stage_2', 'stage_3'])
    >>> GroupRule("sum", ["days_on_ward", "days_in_icu"], total="days").total
    'days'
    >>> GroupRule("combinations", ["code", "chapter"], rows=[["A00", "I"], ["C50", "II"]]).rows
    [['A00', 'I'], ['C50', 'II']]
    """
    __hash__: None  # type: ignore[assignment]
    def __eq__(self, other: object, /) -> bool:
        ...
    def __init__(self, kind: str, fields: collections.abc.Sequence[str], *, total: str = '', rows: collections.abc.Sequence[collections.abc.Sequence[typing.Any]] = []) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def fields(self) -> list[str]:
        """
        Names of the fields.
        """
    @property
    def kind(self) -> str:
        """
        'one_hot', 'exclusive', 'sum', 'unique' or 'combinations'.
        """
    @property
    def rows(self) -> list[list[typing.Any]]:
        """
        Of 'combinations': those that are listed.
        """
    @property
    def total(self) -> str:
        """
        Of a sum: the field that holds it; else empty.
        """
class Schema:
    """
    What the columns of a table mean and under which terms it may be used.
    
    Parameters
    ----------
    fields : list of Field
        One per column, in order.
    rules : list of FieldRule
        What fields may be, given earlier ones.
    groups : list of GroupRule
        What several fields must be together.
    name, source, licence, terms : str
        What the data are, where they come from and what their source asks of users.
    language : str
        BCP 47 tag of the texts.
    may_leave_machine : bool
        False: no remote endpoint may ever see a row.
    """
    __hash__: None  # type: ignore[assignment]
    @staticmethod
    def from_dict(dict: typing.Any) -> Schema:
        """
        A schema from a dict (a table of a TOML file) with the keys of its JSON form.
        """
    @staticmethod
    def from_json(text: str, file: str = '') -> Schema:
        """
        Read a schema; ParseError says where the text is broken.
        """
    @staticmethod
    def infer(frame: typing.Any) -> typing.Any:
        """
        The schema that a frame's column types suggest.
        """
    def __contains__(self, name: str) -> bool:
        ...
    def __eq__(self, other: object, /) -> bool:
        ...
    def __getitem__(self, name: str) -> Field:
        ...
    def __getstate__(self) -> tuple[str]:
        ...
    def __init__(self, fields: collections.abc.Sequence[Field], *, rules: collections.abc.Sequence[FieldRule] = [], groups: collections.abc.Sequence[GroupRule] = [], name: str = '', source: str = '', licence: str = '', terms: str = '', language: str = 'en', may_leave_machine: bool = True) -> None:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def __setstate__(self, arg0: tuple) -> None:
        ...
    def to_json(self) -> str:
        """
        The JSON form, version 1; `from_json` reads it.
        """
    def with_role(self, role: str) -> list[str]:
        """
        Names of the fields that have this role.
        """
    @property
    def fields(self) -> list[Field]:
        """
        What each column means, in order; a list of Field.
        """
    @property
    def groups(self) -> list[GroupRule]:
        """
        What several fields must be together; a list of GroupRule.
        """
    @property
    def language(self) -> str:
        """
        BCP 47 tag of the texts.
        """
    @property
    def licence(self) -> str:
        """
        SPDX identifier or name of the licence.
        """
    @property
    def may_leave_machine(self) -> bool:
        """
        False: no remote endpoint may ever see a row.
        """
    @property
    def name(self) -> str:
        """
        What the data are called.
        """
    @property
    def names(self) -> list[str]:
        """
        Names of the columns, in order.
        """
    @property
    def rules(self) -> list[FieldRule]:
        """
        What fields may be, given earlier ones; a list of FieldRule.
        """
    @property
    def source(self) -> str:
        """
        Where the data come from, with version.
        """
    @property
    def subject(self) -> str | None:
        """
        Name of the subject column, or None.
        """
    @property
    def terms(self) -> str:
        """
        What the source asks of users.
        """
class Table:
    """
    An immutable table: a schema and one column per field, in Arrow layout.
    """
    @staticmethod
    def from_arrow(frame: typing.Any, schema: Schema | None = None, *, nan_as_missing: bool = False) -> Table:
        """
        A table from anything with __arrow_c_stream__ or __arrow_c_array__.
        """
    @staticmethod
    def from_csv(text: bytes, *, delimiter: str = ',', decimal: str = '.', dates: str = 'ymd', missing: collections.abc.Sequence[str] = [''], trim: bool = False, header: collections.abc.Sequence[str] = [], schema: Schema | None = None, file: str = '') -> Table:
        """
        A table from CSV bytes; ParseError names file, line, column and field.
        """
    @staticmethod
    def from_jsonl(text: bytes, *, schema: Schema | None = None, file: str = '') -> Table:
        """
        A table from JSON lines; ParseError names file, line and field.
        """
    @staticmethod
    def from_records(schema: Schema, records: collections.abc.Iterable, *, nan_as_missing: bool = False) -> Table:
        """
        A table of dicts; a missing entry is null. Without a schema (None) kinds follow from the values. Dates and times without a zone stay without one.
        """
    def __arrow_c_schema__(self) -> typing_extensions.CapsuleType:
        ...
    def __arrow_c_stream__(self, requested_schema: typing.Any = None) -> typing_extensions.CapsuleType:
        ...
    def __contains__(self, name: str) -> bool:
        ...
    def __getitem__(self, name: str) -> typing.Any:
        """
        One column. Reals, integers, booleans and times are numpy arrays; reals, integers and times without
        missing values share the table's memory and are read-only. Missing is NaN in reals, NaT in times, masked in
        integers and booleans. Texts, categories and lists are Python lists with None.
        """
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def _coded(self, name: str) -> tuple:
        """
        None and the different values of a column of labels, and the place of each row's among them.
        """
    def _repr_html_(self) -> typing.Any:
        ...
    def digest(self, key: str = '') -> str:
        """
        SHA-256 of schema and contents; with a key an HMAC, the form in which private data may be named.
        """
    def head(self, rows: typing.SupportsInt | typing.SupportsIndex = 5) -> Table:
        """
        The first rows.
        """
    def null_count(self, name: str) -> int:
        """
        How many values of a column are missing.
        """
    def record(self, row: typing.SupportsInt | typing.SupportsIndex) -> dict:
        """
        One row as a dict.
        """
    def records(self) -> list:
        """
        All rows as a list of dicts.
        """
    def select(self, names: collections.abc.Sequence[str]) -> Table:
        """
        The columns of these names, in this order.
        """
    def split(self, shares: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], seed: typing.SupportsInt | typing.SupportsIndex = 0) -> list[Table]:
        """
        Tables of these shares of the subjects (of the rows where no subject is named).
        
        No subject is in two of them. Shares are positive and sum to 1.
        """
    def take(self, rows: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> Table:
        """
        The rows at these positions, in this order.
        """
    def to_arrow(self) -> typing.Any:
        """
        A pyarrow.Table.
        """
    def to_csv(self, *, delimiter: str = ',', missing: str = '', decimal: str = '.') -> bytes:
        """
        The table as CSV bytes.
        """
    def to_jsonl(self) -> bytes:
        """
        The table as JSON lines, bytes.
        """
    def to_pandas(self) -> typing.Any:
        """
        A pandas.DataFrame.
        """
    def to_polars(self) -> typing.Any:
        """
        A polars.DataFrame.
        """
    def values(self, name: str) -> list:
        """
        One column as a list, None where a value is missing.
        """
    @property
    def names(self) -> list[str]:
        """
        Names of the columns, in order.
        """
    @property
    def schema(self) -> Schema:
        """
        What the columns mean.
        """
class TfIdf:
    """
    TF-IDF vectors and cosine search; weights of scikit-learn's TfidfVectorizer over `words`.
    
    Parameters
    ----------
    documents : list of str
        What is searched, and what the weights are counted on.
    sublinear_tf : bool
        1 + ln(count) in place of the count.
    smooth_idf : bool
        ln((1 + N) / (1 + df)) + 1; else ln(N / df) + 1.
    """
    def __init__(self, documents: collections.abc.Sequence[str], *, sublinear_tf: bool = False, smooth_idf: bool = True) -> None:
        ...
    def __len__(self) -> int:
        ...
    def rank_of(self, query: str, document: typing.SupportsInt | typing.SupportsIndex) -> int | None:
        """
        The 1-based place of a document for this query, or None if it scores zero.
        """
    def search(self, query: str, k: typing.SupportsInt | typing.SupportsIndex = 10) -> list:
        """
        Pairs (document, score) of positive score, best first, equal scores by number; k = 0 gives all.
        """
    def vector(self, text: str, vocabulary: collections.abc.Sequence[str]) -> list[float]:
        """
        The unit vector of a text, as weights of these words.
        """
class Bm25:
    """
    Okapi BM25 search with a never negative idf.
    
    Parameters
    ----------
    documents : list of str
        What is searched.
    k1, b : float
        Saturation of the word count, and how much the length of a document matters (0 to 1).
    """
    def __init__(self, documents: collections.abc.Sequence[str], *, k1: typing.SupportsFloat | typing.SupportsIndex = 1.2, b: typing.SupportsFloat | typing.SupportsIndex = 0.75) -> None:
        ...
    def __len__(self) -> int:
        ...
    def rank_of(self, query: str, document: typing.SupportsInt | typing.SupportsIndex) -> int | None:
        """
        The 1-based place of a document for this query, or None if it scores zero.
        """
    def search(self, query: str, k: typing.SupportsInt | typing.SupportsIndex = 10) -> list:
        """
        Pairs (document, score) of positive score, best first, equal scores by number; k = 0 gives all.
        """
class GaussianMechanism:
    """
    A sum of clipped contributions plus Gaussian noise, over a Poisson sample of the units.
    
    Parameters
    ----------
    noise_multiplier : float
        Standard deviation of the noise over the L2 sensitivity of one added or removed unit.
    sampling_rate : float
        Each unit takes part with this probability, independently; 1: all do.
    """
    def __init__(self, noise_multiplier: typing.SupportsFloat | typing.SupportsIndex, sampling_rate: typing.SupportsFloat | typing.SupportsIndex = 1.0) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def noise_multiplier(self) -> float:
        """
        Deviation over sensitivity.
        """
    @property
    def sampling_rate(self) -> float:
        """
        In (0, 1].
        """
class LaplaceMechanism:
    """
    A sum plus Laplace noise.
    
    Parameters
    ----------
    noise_multiplier : float
        Scale of the noise over the L1 sensitivity; one release has epsilon 1 / noise_multiplier.
    """
    def __init__(self, noise_multiplier: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def noise_multiplier(self) -> float:
        """
        Scale over sensitivity.
        """
class ExponentialMechanism:
    """
    A choice among candidates in proportion to exp(epsilon score / (2 sensitivity)).
    
    Parameters
    ----------
    epsilon : float
        Of one choice.
    """
    def __init__(self, epsilon: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def epsilon(self) -> float:
        """
        Of one choice.
        """
class RenyiAccountant:
    """
    Renyi differential privacy: composition adds, some percent above the tight answer.
    
    Parameters
    ----------
    orders : list of float, optional
        Renyi orders, each above 1; by default those of dp-accounting.
    """
    def __init__(self, orders: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex] | None = None) -> None:
        ...
    def add(self, mechanism: GaussianMechanism | LaplaceMechanism | ExponentialMechanism, times: typing.SupportsInt | typing.SupportsIndex = 1) -> RenyiAccountant:
        """
        Count `times` releases of this mechanism on the same data; returns the accountant.
        """
    def best_order(self, delta: typing.SupportsFloat | typing.SupportsIndex) -> float:
        """
        The order that gave epsilon; at an end of the list, more orders may give less.
        """
    def delta(self, epsilon: typing.SupportsFloat | typing.SupportsIndex) -> float:
        """
        The delta at this epsilon.
        """
    def epsilon(self, delta: typing.SupportsFloat | typing.SupportsIndex) -> float:
        """
        The epsilon spent at this delta.
        """
    @property
    def divergences(self) -> list[float]:
        """
        The divergence of all that was added, one per order.
        """
    @property
    def orders(self) -> list[float]:
        """
        The Renyi orders.
        """
class PrivacyLossDistribution:
    """
    The numerical accountant: tight, and never below the exact answer.
    
    Parameters
    ----------
    mechanism : GaussianMechanism, LaplaceMechanism or ExponentialMechanism
        One release.
    step : float
        Width of the grid in units of epsilon; halving it doubles the cost and lowers the excess.
    """
    def __init__(self, mechanism: GaussianMechanism | LaplaceMechanism | ExponentialMechanism, step: typing.SupportsFloat | typing.SupportsIndex = 0.0001) -> None:
        ...
    @typing.overload
    def composed(self, times: typing.SupportsInt | typing.SupportsIndex) -> PrivacyLossDistribution:
        """
        This, `times` times on the same data.
        """
    @typing.overload
    def composed(self, other: PrivacyLossDistribution) -> PrivacyLossDistribution:
        """
        This and another one on the same data; both with the same step.
        """
    def delta(self, epsilon: typing.SupportsFloat | typing.SupportsIndex) -> float:
        """
        The delta at this epsilon.
        """
    def epsilon(self, delta: typing.SupportsFloat | typing.SupportsIndex) -> float:
        """
        The epsilon at this delta; infinite where double precision reaches none.
        """
class LedgerEntry:
    """
    One release, as a ledger keeps it.
    
    Parameters
    ----------
    mechanism : str
        'DP-SGD, sampled Gaussian', 'discrete Laplace', ...
    sensitivity : float
        Of what noise was added to, in its norm.
    unit : str
        What is protected: 'row', 'patient'.
    epsilon, delta : float
        What the release costs.
    released : str
        'weights of the network', 'counts of ward by sex', ...
    data_digest : str
        Keyed digest of the data.
    private_noise : bool
        False for noise that a test could repeat.
    noise_multiplier, sampling_rate, steps : float, float, int
        How epsilon came about, for people who check it; 0 where it does not apply.
    """
    def __init__(self, *, mechanism: str, sensitivity: typing.SupportsFloat | typing.SupportsIndex, unit: str, epsilon: typing.SupportsFloat | typing.SupportsIndex, delta: typing.SupportsFloat | typing.SupportsIndex, released: str, data_digest: str = '', private_noise: bool = True, noise_multiplier: typing.SupportsFloat | typing.SupportsIndex = 0.0, sampling_rate: typing.SupportsFloat | typing.SupportsIndex = 0.0, steps: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def data_digest(self) -> str:
        """
        Keyed digest of the data; empty: not told.
        """
    @property
    def delta(self) -> float:
        """
        0 or more, below 1.
        """
    @property
    def epsilon(self) -> float:
        """
        What the release costs, at `delta`.
        """
    @property
    def mechanism(self) -> str:
        """
        What made the release, such as 'discrete Laplace'.
        """
    @property
    def noise_multiplier(self) -> float:
        """
        Of a sampled mechanism; 0 where it does not apply.
        """
    @property
    def private_noise(self) -> bool:
        """
        False for noise that a test could repeat.
        """
    @property
    def released(self) -> str:
        """
        What left, such as 'counts of ward by sex'.
        """
    @property
    def sampling_rate(self) -> float:
        """
        Of a sampled mechanism; 0 where it does not apply.
        """
    @property
    def sensitivity(self) -> float:
        """
        Of what noise was added to, in its norm.
        """
    @property
    def steps(self) -> int:
        """
        Of a mechanism that is repeated; 0 where it does not apply.
        """
    @property
    def unit(self) -> str:
        """
        What is protected: 'row', 'patient'.
        """
class Ledger:
    """
    What has been spent on private data, and the budget it must stay within.
    
    Parameters
    ----------
    budget : (float, float), optional
        Epsilon and delta; without one nothing is refused.
    """
    @staticmethod
    def from_json(json: str) -> Ledger:
        """
        The ledger of a JSON form; refused where it does not hold together.
        """
    def __init__(self, budget: tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex] | None = None) -> None:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def add(self, entry: LedgerEntry) -> None:
        """
        Count a release; PrivacyBudgetError, and no change, if the sum would exceed the budget.
        """
    def to_json(self) -> str:
        """
        The JSON form, which artefacts carry.
        """
    @property
    def budget(self) -> tuple[float, float] | None:
        """
        (epsilon, delta), or None.
        """
    @property
    def entries(self) -> list[LedgerEntry]:
        """
        Its entries, oldest first.
        """
    @property
    def is_private(self) -> bool:
        """
        Whether every entry used noise that nobody can repeat.
        """
    @property
    def remaining(self) -> tuple[float, float] | None:
        """
        (epsilon, delta) left of the budget; None without a budget.
        """
    @property
    def spent(self) -> tuple[float, float]:
        """
        The sum of all entries, as (epsilon, delta).
        """
class LedgerFile:
    """
    A ledger that fits and processes share: one file of JSON lines, locked while it is used.
    
    Parameters
    ----------
    path : str or os.PathLike
        Made if there is none.
    budget : (float, float), optional
        Epsilon and delta, set once when the file is made.
    """
    def __init__(self, path: typing.Any, budget: tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex] | None = None) -> None:
        ...
    def append(self, entry: LedgerEntry) -> None:
        """
        Write the entry to disk, before the release it stands for; PrivacyBudgetError, and no change, if the budget would be exceeded.
        """
    def read(self) -> Ledger:
        """
        All of it, as a Ledger.
        """
    @property
    def path(self) -> str:
        """
        Where it is.
        """
class Sampling:
    """
    How a completion is drawn from the model's distribution.
    
    Parameters
    ----------
    temperature : float
        0 is greedy.
    top_k : int
        Keep the k most likely tokens; 0 keeps all.
    top_p : float
        Nucleus: the smallest set of tokens whose probability reaches top_p.
    min_p : float
        Drop tokens below min_p times the largest probability.
    repetition_penalty : float
        Above 1 makes tokens that were seen before less likely.
    max_tokens : int
        Of one completion.
    min_tokens : int
        Before so many are drawn neither an end-of-text token nor a stop text can occur. Forms end by themselves.
    log_probabilities : bool
        Report the log-probability of every token (``Completion.token_log_probabilities``), not only their sum.
    """
    __hash__: None  # type: ignore[assignment]
    def __eq__(self, other: object, /) -> bool:
        ...
    def __init__(self, *, temperature: typing.SupportsFloat | typing.SupportsIndex = 1.0, top_k: typing.SupportsIndex = 0, top_p: typing.SupportsFloat | typing.SupportsIndex = 1.0, min_p: typing.SupportsFloat | typing.SupportsIndex = 0.0, repetition_penalty: typing.SupportsFloat | typing.SupportsIndex = 1.0, max_tokens: typing.SupportsIndex = 128, min_tokens: typing.SupportsIndex = 0, log_probabilities: bool = False) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def log_probabilities(self) -> bool:
        """
        Whether the log-probability of every token is reported.
        """
    @property
    def max_tokens(self) -> int:
        """
        Most tokens of one completion.
        """
    @property
    def min_p(self) -> float:
        """
        Only tokens at least this share of the most likely one; 0: all.
        """
    @property
    def min_tokens(self) -> int:
        """
        Before so many tokens neither end nor stop texts occur.
        """
    @property
    def repetition_penalty(self) -> float:
        """
        Above 1 discourages tokens that were said; 1: none.
        """
    @property
    def temperature(self) -> float:
        """
        0 is greedy.
        """
    @property
    def top_k(self) -> int:
        """
        Only the k most likely tokens; 0: all.
        """
    @property
    def top_p(self) -> float:
        """
        The smallest set of tokens whose probability reaches this; 1: all.
        """
class Message:
    """
    One turn of a chat: role ('system', 'user', 'assistant') and text.
    """
    def __init__(self, role: str, text: str) -> None:
        ...
    @property
    def role(self) -> str:
        """
        'system', 'user' or 'assistant'.
        """
    @property
    def text(self) -> str:
        """
        What is said.
        """
class Prompt:
    """
    One question to a model: chat messages, or plain text to be continued.
    """
    __hash__: None  # type: ignore[assignment]
    @staticmethod
    def chat(system: str, text: str) -> Prompt:
        """
        A system and a user message.
        """
    @staticmethod
    def plain(text: str) -> Prompt:
        """
        Text to be continued as it stands, without chat template: for small and base models.
        """
    @staticmethod
    def user(text: str) -> Prompt:
        """
        One user message in the model's chat template.
        """
    def __eq__(self, other: object, /) -> bool:
        ...
    def __init__(self, messages: collections.abc.Sequence[Message]) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def among(self, choices: collections.abc.Sequence[str]) -> Prompt:
        """
        A copy whose answer is exactly one of these.
        """
    def json(self, form: typing.Any) -> Prompt:
        """
        A copy whose answer is a JSON text: of a Schema, of a JSON Schema (dict or str), or of a pydantic model. `Completion.json()` reads it.
        """
    def matching(self, pattern: str) -> Prompt:
        """
        A copy whose whole answer matches this regular expression.
        """
    def under(self, constraint: typing.Any) -> Prompt:
        """
        A copy whose answer is what a synthema.TokenConstraint of your own allows, in the tokens of the model that is asked. Every answer begins with a copy of it, reset; it is cut at max_tokens.
        """
    def until(self, stop: str) -> Prompt:
        """
        A copy whose answer ends before this text.
        """
    def with_bias(self, bias: collections.abc.Mapping[str, typing.SupportsFloat | typing.SupportsIndex]) -> Prompt:
        """
        A copy that adds these numbers to the logits of the tokens with exactly these texts, beside those given
        before for others; -inf forbids them.
        """
    def with_sampling(self, sampling: Sampling) -> Prompt:
        """
        A copy with sampling values of its own.
        """
    def without(self, texts: collections.abc.Sequence[str]) -> Prompt:
        """
        A copy in whose answer none of these texts can occur, beside those forbidden before.
        """
    @property
    def banned(self) -> list[str]:
        """
        Texts that cannot occur in the answer.
        """
    @property
    def bias(self) -> dict[str, float]:
        """
        What is added to the logits of the tokens with exactly this text.
        """
    @property
    def choices(self) -> list[str]:
        """
        The answer is exactly one of these; empty: no such form.
        """
    @property
    def constraint(self) -> str:
        """
        The digest of the constraint that it brings along; empty: none.
        """
    @property
    def json_schema(self) -> str:
        """
        JSON Schema of the answer; empty: no such form.
        """
    @property
    def messages(self) -> list[Message]:
        """
        Chat messages; empty for a plain prompt.
        """
    @property
    def pattern(self) -> str:
        """
        Regular expression that the whole answer matches; empty: no such form.
        """
    @property
    def record_schema(self) -> str:
        """
        Schema of the answer in its JSON form; empty: no such form.
        """
    @property
    def sampling(self) -> Sampling | None:
        """
        Values that replace the run's for this question, or None.
        """
    @property
    def stop(self) -> list[str]:
        """
        The answer ends before the first of these texts.
        """
    @property
    def text(self) -> str:
        """
        Plain text to continue; empty for a chat.
        """
class TokenCounts:
    """
    Tokens of a prompt, and generated ones by how they came.
    """
    def __init__(self, *, prompt: typing.SupportsInt | typing.SupportsIndex = 0, free: typing.SupportsInt | typing.SupportsIndex = 0, masked: typing.SupportsInt | typing.SupportsIndex = 0, forced: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def forced(self) -> int:
        """
        The only one a mask allowed.
        """
    @property
    def free(self) -> int:
        """
        Drawn from the whole vocabulary.
        """
    @property
    def masked(self) -> int:
        """
        Drawn under a mask that left at least two.
        """
    @property
    def prompt(self) -> int:
        """
        Of the prompt, with its chat template.
        """
class Completion:
    """
    A model's answer to one Prompt.
    """
    def __init__(self, text: str, *, finish: str = 'stop', tokens: TokenCounts = ..., failure: str = '', log_probability: typing.SupportsFloat | typing.SupportsIndex | None = None) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def json(self) -> typing.Any:
        """
        The answer read as JSON. ModelError with the reason if it failed; ParseError if it is no JSON, for which a run tries the row again.
        """
    @property
    def failure(self) -> str:
        """
        A sentence, where finish is 'failed'.
        """
    @property
    def finish(self) -> str:
        """
        Why it ended: 'stop', 'length' (of the answer or the context), 'constraint' or 'failed'.
        """
    @property
    def log_probability(self) -> float | None:
        """
        Natural logarithm, summed over the generated tokens, untempered; None if not known.
        """
    @property
    def text(self) -> str:
        """
        The answer, without its stop text.
        """
    @property
    def token_ids(self) -> list[int]:
        """
        All generated tokens, the end token too if one was drawn; empty if not known.
        """
    @property
    def token_log_probabilities(self) -> list[float]:
        """
        Natural logarithms, one per token id; only where the sampling values ask for them.
        """
    @property
    def tokens(self) -> TokenCounts:
        """
        How many, and how they were drawn.
        """
class Task:
    """
    What one row is asked for: its condition, the exemplars, the schema.
    """
    def __getitem__(self, name: str) -> typing.Any:
        """
        A value of the condition.
        """
    def __init__(self, condition: dict, row: typing.SupportsInt | typing.SupportsIndex = 0, attempt: typing.SupportsInt | typing.SupportsIndex = 0, exemplars: Table | None = None, schema: Schema | None = None) -> None:
        ...
    @property
    def attempt(self) -> int:
        """
        0, 1, ...: how often this row was tried before.
        """
    @property
    def condition(self) -> dict:
        """
        What the row must agree with, as a dict.
        """
    @property
    def exemplars(self) -> Table:
        """
        The pool that may be shown, or None.
        """
    @property
    def row(self) -> int:
        """
        Row id.
        """
    @property
    def schema(self) -> Schema:
        """
        Of the finished rows, or None.
        """
class Draft:
    """
    A finished row: its values, and which exemplars were shown.
    """
    def __getitem__(self, name: str) -> typing.Any:
        ...
    def __init__(self, values: dict, exemplars: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] = []) -> None:
        ...
    @property
    def exemplars(self) -> list[int]:
        """
        Row numbers in the pool of those that were shown.
        """
    @property
    def values(self) -> dict:
        """
        The row as a dict.
        """
class PromptStrategy:
    """
    How one row is asked for.
    """
    def __repr__(self) -> str:
        ...
    @property
    def name(self) -> str:
        """
        Stands in every row's provenance.
        """
class ModelFile:
    """
    A model on disk: a GGUF file, or a folder with safetensors, config.json and tokenizer.json.
    
    Parameters
    ----------
    path : str or os.PathLike
        The file or folder.
    
    Raises
    ------
    ModelError
        If something in it is broken or not supported.
    """
    def __init__(self, path: typing.Any) -> None:
        ...
    def describe(self) -> dict:
        """
        All of the above that fits on a page, as a dict.
        """
    def tensor(self, name: str) -> numpy.typing.NDArray[numpy.float32]:
        """
        The values of a tensor as 32-bit floats.
        """
    @property
    def architecture(self) -> str:
        """
        Name of the family, such as 'llama'.
        """
    @property
    def chat_template(self) -> str:
        """
        The family of the chat template; 'none' for base models.
        """
    @property
    def config(self) -> dict:
        """
        Shape of the model (layers, width, heads, ...), as a dict.
        """
    @property
    def digest(self) -> str:
        """
        SHA-256 of all that was read.
        """
    @property
    def format(self) -> str:
        """
        'GGUF v3', 'safetensors'.
        """
    @property
    def metadata(self) -> dict:
        """
        Further entries of the file as texts, such as its licence; a dict.
        """
    @property
    def parameters(self) -> int:
        """
        Elements of all tensors.
        """
    @property
    def path(self) -> str:
        """
        Where it lies.
        """
    @property
    def tensors(self) -> list:
        """
        (name, type, shape) of each tensor, in file order.
        """
    @property
    def tokenizer_info(self) -> dict:
        """
        Kind, pre-tokenizer, sizes and special ids of the tokenizer, as a dict.
        """
class Tokenizer:
    """
    The tokenizer of a model file (byte pair encoding).
    """
    def __init__(self, model: ModelFile) -> None:
        ...
    def decode(self, ids: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> typing.Any:
        """
        The text of the ids; bytes that are not UTF-8 become U+FFFD.
        """
    def decode_bytes(self, ids: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex]) -> bytes:
        """
        The bytes of the ids joined; control tokens give nothing.
        """
    def encode(self, text: str) -> list[int]:
        """
        The ids of a text (str, or bytes that need not be valid UTF-8); control tokens in it stay text.
        """
    def encode_chat(self, pieces: collections.abc.Sequence[tuple[str, bool]]) -> list[int]:
        """
        The ids of what ChatTemplate.render gave.
        """
    def special(self, name: str) -> int | None:
        """
        The id of a control token, or None.
        """
    def token_bytes(self, id: typing.SupportsInt | typing.SupportsIndex) -> bytes:
        """
        The bytes that one id stands for; ModelError if there is no such id.
        """
    @property
    def begin_id(self) -> int | None:
        """
        The id that every prompt begins with, or None.
        """
    @property
    def end_ids(self) -> list[int]:
        """
        Ids that end an answer.
        """
    @property
    def missing_bytes(self) -> bytes:
        """
        Bytes that no token can spell; encode drops them.
        """
    @property
    def vocabulary_size(self) -> int:
        """
        Number of ids.
        """
class ChatTemplate:
    """
    How a family of models wants a conversation written.
    """
    @staticmethod
    def named(family: str) -> ChatTemplate:
        """
        The template of a family; ConfigError names those there are.
        """
    @staticmethod
    def of(model: ModelFile) -> ChatTemplate:
        """
        The template of a ModelFile; 'none' where it has none.
        """
    @staticmethod
    def recognised(jinja: str) -> ChatTemplate:
        """
        The family of a template by its Jinja text, which is not executed.
        """
    def render(self, messages: collections.abc.Sequence[tuple[str, str]]) -> list:
        """
        Pieces (text, is_control) of a conversation [(role, text), ...] with an open assistant turn.
        """
    @property
    def name(self) -> str:
        """
        Name of the family, such as 'chatml'.
        """
class FormConstraint:
    """
    Which tokens may come next in one answer: a copyable state. Made by AnswerForms.
    """
    def accept(self, id: typing.SupportsInt | typing.SupportsIndex) -> bool:
        """
        Move on; False, and no change, if the id may not come.
        """
    def allowed(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        The ids that may come next, ascending (end-of-text is not among them). Empty: nothing can follow.
        """
    def copy(self) -> FormConstraint:
        """
        A constraint in the same state, independent of this one.
        """
    def forced(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        Ids that follow in any case: accept them without asking the model. Empty: draw.
        """
    def reset(self) -> None:
        """
        Back to the beginning.
        """
    def rollback(self, n: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Undo the last n accepted ids.
        """
    @property
    def failure(self) -> str:
        """
        Why nothing is allowed: the values so far leave none for a later field.
        """
    @property
    def is_complete(self) -> bool:
        """
        Whether the text so far is a whole answer.
        """
    @property
    def text(self) -> bytes:
        """
        The bytes accepted so far.
        """
class AnswerForms:
    """
    The forms of answers (choices, patterns, JSON) for the tokens of one tokenizer: what a local model masks
    with. For engines of your own.
    
    Parameters
    ----------
    tokenizer : Tokenizer
        Whose tokens answers are spelt with.
    """
    def __init__(self, tokenizer: Tokenizer) -> None:
        ...
    def constraint(self, prompt: Prompt, open_tokens: typing.SupportsInt | typing.SupportsIndex | None = None, room: typing.SupportsInt | typing.SupportsIndex | None = None) -> FormConstraint:
        """
        The constraint of a prompt's form, without what the prompt bans; ConfigError if it has none, or if the bans
        leave nothing of it. `open_tokens` limits what the form leaves open (max_tokens of a local model), `room`
        the tokens of the answer in all (what the context has left).
        """
class CompletionModel:
    """
    Whatever answers prompts: a local model, an endpoint, a cache in front of either, a scripted model.
    """
    def complete(self, prompts: collections.abc.Sequence[Prompt], sampling: Sampling, seed: typing.SupportsIndex = 0) -> list[Completion]:
        """
        Answer prompts, in their order. The same prompt at the same place with the same seed gets the same answer, whatever stands beside it. Calls of several threads wait for each other.
        """
    @property
    def digest(self) -> str:
        """
        Names exactly which model answers: weights, tokenizer and chat template.
        """
    @property
    def location(self) -> str:
        """
        'in_process', 'this_host' or 'remote'.
        """
    @property
    def numeric_path(self) -> str:
        """
        The arithmetic that answers; equal text is promised within one path only.
        """
class CompletionRequest:
    """
    A prompt on its way to a model.
    """
    @property
    def id(self) -> int:
        """
        Number that the answer carries back.
        """
    @property
    def prompt(self) -> Prompt:
        """
        The question.
        """
    @property
    def random(self) -> Random:
        """
        The stream of this call; draw from nothing else.
        """
    @property
    def sampling(self) -> Sampling:
        """
        How the answer is drawn.
        """
class Predictor:
    """
    A fitted model of one column of a table.
    """
    def predict(self, table: typing.Any) -> numpy.typing.NDArray[numpy.float64]:
        """
        Probabilities of the classes, an array {rows, classes}; or numbers, {rows}. The table needs the columns that the model reads.
        """
    @property
    def classes(self) -> list[str]:
        """
        Labels in the order of the columns of `predict`; empty where a number is predicted.
        """
class Learner:
    """
    Fits a model of one column of a table to its other columns.
    """
    def fit(self, table: typing.Any, target: str, *, columns: collections.abc.Sequence[str] | None = None, seed: typing.SupportsInt | typing.SupportsIndex = 0, threads: typing.SupportsInt | typing.SupportsIndex = 0, target_labels: typing.SupportsInt | typing.SupportsIndex = 0) -> Predictor:
        """
        Fit a model.
        
        Parameters
        ----------
        table : Table or frame
            Training rows; those without a target are left out. Texts that hold labels (a frame's strings, each used
            twice on average) are categories.
        target : str
            A category, a boolean, a number with two different values (classes), or any other number.
        columns : list of str, optional
            What the model may read; all but the target, identifiers, subjects, free texts and lists if not given.
        seed : int
            Of early stopping.
        threads : int
            0: all cores; never changes the model.
        target_labels : int
            Of a target with more labels the rarest are one class, so that there are as many; 0: all are classes.
        
        Returns
        -------
        Predictor
        """
    @property
    def name(self) -> str:
        """
        Enters scores.
        """
class DesignEncoding:
    """
    Columns of a table as the numbers of a linear model.
    
    Parameters
    ----------
    table : Table
        Rows to learn means, deviations and labels from.
    columns : list of str, optional
        All but identifiers, subjects, texts and lists if not given.
    standardize : bool
        Divide by standard deviations.
    """
    def __init__(self, table: Table, columns: collections.abc.Sequence[str] | None = None, *, standardize: bool = True) -> None:
        ...
    def apply(self, table: Table) -> numpy.typing.NDArray[numpy.float64]:
        """
        An array {rows, names}.
        """
    @property
    def names(self) -> list[str]:
        """
        'age', 'sex = male', 'age is missing', ...
        """
class Check:
    """
    Accepts a finished row or says why not.
    
    Parameters
    ----------
    name : str
        Kept with every row that the check rejects.
    function : callable
        (task, draft) -> None or True (accepted), a str (the reason) or False. Pure: it sees no other row.
    guards_exemplars : bool
        True if the check finds copies of exemplars.
    """
    def __call__(self, task: Task, draft: Draft) -> str | None:
        """
        None if the draft is accepted, else the reason.
        """
    def __init__(self, name: str, function: typing.Any, *, guards_exemplars: bool = False) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def name(self) -> str:
        """
        The name under which a rejected draft is kept.
        """
class VerifyDifference:
    """
    A row that could not be made again.
    """
    @property
    def row(self) -> int:
        """
        Row id.
        """
    @property
    def what(self) -> str:
        """
        One sentence: what differs.
        """
class VerifyResult:
    """
    What a look at a run folder found.
    """
    def __repr__(self) -> str:
        ...
    @property
    def differences(self) -> list[VerifyDifference]:
        """
        Every row that is not as it should be; a list of VerifyDifference.
        """
    @property
    def numeric_path(self) -> str:
        """
        Of the model that re-scored.
        """
    @property
    def ok(self) -> bool:
        """
        Whether nothing differs.
        """
    @property
    def regenerated(self) -> int:
        """
        Rows made again and compared byte for byte.
        """
    @property
    def rejected(self) -> int:
        """
        Rejected attempts likewise.
        """
    @property
    def rescored(self) -> int:
        """
        Rows whose answers were read again and compared token by token.
        """
    @property
    def rows(self) -> int:
        """
        Accepted rows whose line is whole and sealed.
        """
    @property
    def tokens_different(self) -> int:
        """
        Not what it draws.
        """
    @property
    def tokens_near(self) -> int:
        """
        Within the tolerance of what it draws.
        """
    @property
    def tokens_same(self) -> int:
        """
        Recorded tokens that the model draws too.
        """
class _RunRecord:
    def __init__(self) -> None:
        ...
    def execute(self, *, strategy: PromptStrategy, model: CompletionModel, rows: typing.SupportsInt | typing.SupportsIndex, conditions: Table, draw: typing.Any, exemplars: Table, schema: Schema, checks: collections.abc.Sequence[Check], sampling: Sampling, seed: typing.SupportsInt | typing.SupportsIndex, folder: str, resume: bool, progress: typing.Any, max_attempts: typing.SupportsInt | typing.SupportsIndex, max_questions: typing.SupportsInt | typing.SupportsIndex, in_flight: typing.SupportsInt | typing.SupportsIndex, hopeless_after: typing.SupportsInt | typing.SupportsIndex, hopeless_below: typing.SupportsFloat | typing.SupportsIndex, cycle: bool, settings: str, generator: str, digest_key: str) -> None:
        ...
    def load(self, arg0: str) -> None:
        ...
    @property
    def accepted(self) -> int:
        ...
    @property
    def attempts(self) -> int:
        ...
    @property
    def complete(self) -> bool:
        ...
    @property
    def decided(self) -> int:
        ...
    @property
    def drafts(self) -> Table:
        ...
    @property
    def provenance(self) -> list:
        ...
    @property
    def reasons(self) -> list:
        ...
    @property
    def rejected(self) -> Table:
        ...
    @property
    def rows(self) -> Table:
        ...
    @property
    def text(self) -> str:
        ...
class _SequentialTrees:
    """
    One column after the other, by trees.
    """
    @staticmethod
    def load(file: bytes, path: str = '') -> _SequentialTrees:
        """
        The generator of such bytes; ModelError where they are none.
        """
    def __init__(self, *, target: str = '', first: collections.abc.Sequence[str] = [], min_leaf: typing.SupportsInt | typing.SupportsIndex = 0, min_gain: typing.SupportsFloat | typing.SupportsIndex = 3.0, rare_below: typing.SupportsInt | typing.SupportsIndex = 5, particles: typing.SupportsInt | typing.SupportsIndex = 32, predictors: typing.SupportsInt | typing.SupportsIndex = 64, combinations: collections.abc.Sequence[collections.abc.Sequence[str]] = [], threads: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def fit(self, real: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> None:
        """
        Learn from a table; starts afresh.
        """
    def impute(self, table: Table, seed: typing.SupportsInt | typing.SupportsIndex = 0, progress: typing.Any = None, cancel: CancelToken | None = None) -> Table:
        """
        The table with missing cells drawn given the others.
        """
    def log_prob(self, rows: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> numpy.typing.NDArray[numpy.float64]:
        """
        Natural logarithm of the probability of each row.
        """
    def sample(self, rows: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex = 0, conditions: Table | None = None, progress: typing.Any = None, cancel: CancelToken | None = None) -> Table:
        """
        A table of exactly these rows.
        """
    def save(self) -> bytes:
        """
        The fitted generator as bytes of a file.
        """
    @property
    def name(self) -> str:
        """
        Name of the method.
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
    def schema(self) -> Schema:
        """
        Of the rows it makes.
        """
class _IndependentMarginals:
    """
    Every column by itself.
    """
    @staticmethod
    def load(file: bytes, path: str = '') -> _IndependentMarginals:
        """
        The generator of such bytes; ModelError where they are none.
        """
    def __init__(self, *, rare_below: typing.SupportsInt | typing.SupportsIndex = 5, threads: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def fit(self, real: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> None:
        """
        Learn from a table; starts afresh.
        """
    def log_prob(self, rows: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> numpy.typing.NDArray[numpy.float64]:
        """
        Natural logarithm of the probability of each row.
        """
    def sample(self, rows: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex = 0, conditions: Table | None = None, progress: typing.Any = None, cancel: CancelToken | None = None) -> Table:
        """
        A table of exactly these rows.
        """
    def save(self) -> bytes:
        """
        The fitted generator as bytes of a file.
        """
    @property
    def name(self) -> str:
        """
        Name of the method.
        """
    @property
    def options(self) -> dict:
        """
        What it was made with.
        """
    @property
    def schema(self) -> Schema:
        """
        Of the rows it makes.
        """
class _GaussianCopula:
    """
    Columns tied by a normal vector.
    """
    @staticmethod
    def load(file: bytes, path: str = '') -> _GaussianCopula:
        """
        The generator of such bytes; ModelError where they are none.
        """
    def __init__(self, *, rare_below: typing.SupportsInt | typing.SupportsIndex = 5, threads: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def fit(self, real: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> None:
        """
        Learn from a table; starts afresh.
        """
    def log_prob(self, rows: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> numpy.typing.NDArray[numpy.float64]:
        """
        Natural logarithm of the probability of each row.
        """
    def sample(self, rows: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex = 0, conditions: Table | None = None, progress: typing.Any = None, cancel: CancelToken | None = None) -> Table:
        """
        A table of exactly these rows.
        """
    def save(self) -> bytes:
        """
        The fitted generator as bytes of a file.
        """
    @property
    def name(self) -> str:
        """
        Name of the method.
        """
    @property
    def options(self) -> dict:
        """
        What it was made with.
        """
    @property
    def schema(self) -> Schema:
        """
        Of the rows it makes.
        """
class _PrivateMarginals:
    """
    Noisy marginals, differentially private.
    """
    @staticmethod
    def load(file: bytes, path: str = '') -> _PrivateMarginals:
        """
        The generator of such bytes; ModelError where they are none.
        """
    def __init__(self, *, epsilon: typing.SupportsFloat | typing.SupportsIndex = 1.0, delta: typing.SupportsFloat | typing.SupportsIndex = 1e-06, target: str = '', target_weight: typing.SupportsFloat | typing.SupportsIndex = 2.0, rows_per_person: typing.SupportsInt | typing.SupportsIndex = 1, bins: typing.SupportsInt | typing.SupportsIndex = 32, first_share: typing.SupportsFloat | typing.SupportsIndex = 0.2, rounds: typing.SupportsInt | typing.SupportsIndex = 0, max_cells: typing.SupportsInt | typing.SupportsIndex = 400000, infer: bool = True, ledger: str = '', threads: typing.SupportsInt | typing.SupportsIndex = 0) -> None:
        ...
    def describe(self, each_release: bool = True) -> str:
        """
        The promise and what was spent where, or on how many kinds of release, for people.
        """
    def fit(self, real: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> None:
        """
        Learn from a table; starts afresh.
        """
    def fit_stated(self, real: Table, stated: bool, test_noise: typing.SupportsInt | typing.SupportsIndex | None = None, progress: typing.Any = None, cancel: CancelToken | None = None) -> None:
        """
        Learn from a table; `stated`: its schema is public.
        """
    def log_prob(self, rows: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> numpy.typing.NDArray[numpy.float64]:
        """
        Natural logarithm of the probability of each row.
        """
    def sample(self, rows: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex = 0, conditions: Table | None = None, progress: typing.Any = None, cancel: CancelToken | None = None) -> Table:
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
    def ledger(self) -> Ledger:
        """
        What the artefact cost.
        """
    @property
    def marginals(self) -> list[list[str]]:
        """
        The columns of each marginal that was measured.
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
    def schema(self) -> Schema:
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
class _BootstrapCopy:
    """
    Real rows, drawn with replacement.
    """
    def __init__(self, *, release: bool = False) -> None:
        ...
    def fit(self, real: Table, progress: typing.Any = None, cancel: CancelToken | None = None) -> None:
        """
        Learn from a table; starts afresh.
        """
    def sample(self, rows: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex = 0, conditions: Table | None = None, progress: typing.Any = None, cancel: CancelToken | None = None) -> Table:
        """
        A table of exactly these rows.
        """
    @property
    def name(self) -> str:
        """
        Name of the method.
        """
    @property
    def schema(self) -> Schema:
        """
        Of the rows it makes.
        """
class Interval:
    """
    How sure a score is; unpacks as low, high.
    """
    def __iter__(self) -> collections.abc.Iterator:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def high(self) -> float:
        """
        Upper end, in the score's unit.
        """
    @property
    def level(self) -> float:
        """
        0.95.
        """
    @property
    def low(self) -> float:
        """
        Lower end, in the score's unit.
        """
    @property
    def method(self) -> str:
        """
        How it was obtained, and over how many units.
        """
class ScorePart:
    """
    The same measure of one column, pair, label or subgroup.
    """
    def __repr__(self) -> str:
        ...
    @property
    def n(self) -> int:
        """
        Rows used.
        """
    @property
    def name(self) -> str:
        """
        'age', 'age x sex', 'HP:0002315', ...
        """
    @property
    def note(self) -> str:
        """
        The unit, or why there is no value.
        """
    @property
    def value(self) -> float | None:
        """
        None where the part is undefined.
        """
class Curve:
    """
    A line that a report draws, such as a ROC curve.
    """
    @property
    def name(self) -> str:
        """
        'ROC', 'ROC, mean of labels', 'ROC of C' (C against the rest).
        """
    @property
    def of(self) -> str:
        """
        Whose line it is: 'trained on synthetic rows'.
        """
    @property
    def x(self) -> list[float]:
        """
        Ascending; of a ROC curve the false positive rate.
        """
    @property
    def y(self) -> list[float]:
        """
        As many as `x`; of a ROC curve the true positive rate.
        """
class Bound:
    """
    The best or worst that a score could be, and how that is known.
    """
    def __repr__(self) -> str:
        ...
    @property
    def error(self) -> float:
        """
        Standard error of `value` if the rows that it was measured on are like the synthetic ones; 0 where it is exact, not known, or a part of the score's interval.
        """
    @property
    def source(self) -> str:
        """
        How it was obtained.
        """
    @property
    def value(self) -> float:
        """
        In the score's unit.
        """
class Score:
    """
    One measurement: value, interval, n, parts, ceiling, floor, convention.
    """
    @staticmethod
    def from_json(json: str) -> Score:
        """
        The score of a JSON form; ParseError if it is none.
        """
    def __getstate__(self) -> tuple[str]:
        ...
    def __repr__(self) -> str:
        ...
    def __setstate__(self, arg0: tuple) -> None:
        ...
    def to_dict(self) -> dict:
        """
        The JSON form as a dict.
        """
    def to_json(self) -> str:
        """
        The JSON form; infinities are 'inf', '-inf'.
        """
    @property
    def ceiling(self) -> Bound | None:
        """
        A Bound: the best that data of this size could score; or None.
        """
    @property
    def convention(self) -> str:
        """
        Whose definition.
        """
    @property
    def curves(self) -> list[Curve]:
        """
        Curves that a report draws; of most scores none.
        """
    @property
    def definition(self) -> str:
        """
        Formula or source, one line.
        """
    @property
    def direction(self) -> str:
        """
        Which way is better: 'higher', 'lower' or 'none'.
        """
    @property
    def estimand(self) -> str:
        """
        One sentence: what the number estimates.
        """
    @property
    def floor(self) -> Bound | None:
        """
        A Bound: what knowing nothing scores; or None.
        """
    @property
    def interval(self) -> Interval | None:
        """
        An Interval, or None; then `no_interval` says why.
        """
    @property
    def n(self) -> int:
        """
        Rows or subjects used.
        """
    @property
    def name(self) -> str:
        """
        Name of the evaluator; the key in a report.
        """
    @property
    def no_interval(self) -> str:
        """
        Why there is no interval, where there is none.
        """
    @property
    def parts(self) -> list[ScorePart]:
        """
        The same measure by column, pair, label or subgroup.
        """
    @property
    def range(self) -> tuple[float, float]:
        """
        The smallest and largest possible value; may be infinite.
        """
    @property
    def undefined(self) -> str:
        """
        Why there is no value; empty where there is one.
        """
    @property
    def value(self) -> float | None:
        """
        None exactly when `undefined` says why.
        """
    @property
    def warnings(self) -> list[str]:
        """
        What to know before reading the value.
        """
class EvaluationContext:
    """
    What evaluators may look at besides the two tables.
    
    Parameters
    ----------
    holdout : Table, optional
        Real rows that no generator saw.
    exemplars : Table, optional
        What was shown in prompts.
    terms : Table, optional
        Columns id and name; optional synonyms, lay_synonyms (lists) and definition.
    text_column, label_column, target_column : str
        The text to judge; what it should express ('': the schema's label role); what to predict.
    seed : int
        Of bootstrap draws.
    bootstrap : int
        Resamples of an interval; 0: none.
    threads : int
        0: all cores. Never changes a value.
    embedder : callable, optional
        List of texts to list of vectors.
    text_scorer : callable, optional
        List of texts to list of log-probabilities (natural) of their tokens.
    embedder_name : str
        Which encoder that is; enters scores.
    cancel : CancelToken, optional
        Evaluators end with Cancelled once it asks them to.
    target_labels : int
        Of a target with more labels the rarest are one class, so that there are as many; 0: all are classes.
    """
    def __init__(self, *, holdout: Table | None = None, exemplars: Table | None = None, terms: Table | None = None, text_column: str = 'text', label_column: str = '', target_column: str = '', seed: typing.SupportsInt | typing.SupportsIndex = 0, bootstrap: typing.SupportsInt | typing.SupportsIndex = 1000, threads: typing.SupportsIndex = 0, embedder: typing.Any = None, text_scorer: typing.Any = None, embedder_name: str = '', cancel: CancelToken | None = None, target_labels: typing.SupportsInt | typing.SupportsIndex = 50) -> None:
        ...
    @property
    def bootstrap(self) -> int:
        """
        Resamples of an interval; 0: none.
        """
    @property
    def cancel(self) -> CancelToken:
        """
        The CancelToken that evaluators look at.
        """
    @property
    def embedder(self) -> typing.Any:
        """
        A function of a list of texts that gives one list of numbers a text, or None.
        """
    @property
    def embedder_name(self) -> str:
        """
        Which encoder that is.
        """
    @property
    def exemplars(self) -> Table | None:
        """
        What was shown in prompts, or None.
        """
    @property
    def holdout(self) -> Table | None:
        """
        Real rows that no generator saw, or None.
        """
    @property
    def label_column(self) -> str:
        """
        Name of what the text should express; empty: the schema's label role.
        """
    @property
    def seed(self) -> int:
        """
        Of bootstrap draws.
        """
    @property
    def target_column(self) -> str:
        """
        Name of what to predict; empty: nothing.
        """
    @property
    def target_labels(self) -> int:
        """
        Most classes of the target, the rarest labels being one together; 0: all labels.
        """
    @property
    def terms(self) -> Table | None:
        """
        The term list, or None.
        """
    @property
    def text_column(self) -> str:
        """
        Name of the text to judge.
        """
    @property
    def text_scorer(self) -> typing.Any:
        """
        A function of a list of texts that gives the natural log-probabilities of their tokens, or None.
        """
    @property
    def threads(self) -> int:
        """
        0: all cores.
        """
class SuiteOptions:
    """
    What the evaluators of a suite are made with.
    
    Parameters
    ----------
    near_duplicate_threshold : float
        Jaccard similarity from which two texts are near duplicates, above 0 and at most 1.
    self_bleu_limit : int
        Most texts for self-BLEU, drawn by the seed; 0: all.
    reference_column : str
        Column with the reference text of each row, for BLEU and ROUGE.
    convention : {'synthema', 'sdmetrics', 'mostlyai', ...}
        Whose definition, in the evaluators that have it.
    triples : int
        Most triples of columns for the accuracy of three, drawn by the seed.
    linking_threshold : float
        Smallest cosine at which a text is linked to a term, -1 to 1.
    linking_definitions : bool
        Link by the definitions of the terms too.
    learner : Learner, optional
        What is trained on synthetic rows and tested on real ones; boosted trees if not given.
    full : bool
        Also what takes longer or answers a question that few ask, and floors of privacy.
    discrepancy_rows : int
        Most rows of each table for the mean discrepancy, drawn by the seed; 0: all.
    duration_column, event_column : str
        Follow-up and whether it ended with the event, of survival; '': there is none.
    sensitive_column : str
        Groups of people whose predictions are compared; '': the columns with the role sensitive.
    ranked_learners : list of Learner
        Whose ranking is compared; empty: six of ours.
    quasi_identifiers, secrets : list of str
        Columns that an attacker may know, and those that are secret ([]: by the schema's role).
    detectors : list of callable
        Each takes a text and gives (begin, end, kind) of the identifiers in it, in characters.
    canaries : Table, optional
        Columns text and planted.
    token_embedder : callable, optional
        List of texts to list of arrays {tokens, width}, for bert_score.
    """
    def __init__(self, *, near_duplicate_threshold: typing.SupportsFloat | typing.SupportsIndex = 0.7, self_bleu_limit: typing.SupportsInt | typing.SupportsIndex = 0, reference_column: str = 'reference', convention: str = 'synthema', triples: typing.SupportsInt | typing.SupportsIndex = 10000, linking_threshold: typing.SupportsFloat | typing.SupportsIndex = 0.5, linking_definitions: bool = False, learner: Learner | None = None, full: bool = False, discrepancy_rows: typing.SupportsInt | typing.SupportsIndex = 5000, duration_column: str = '', event_column: str = '', sensitive_column: str = '', ranked_learners: collections.abc.Sequence[Learner] = [], quasi_identifiers: collections.abc.Sequence[str] = [], secrets: collections.abc.Sequence[str] = [], detectors: collections.abc.Sequence[typing.Any] = [], canaries: Table | None = None, token_embedder: typing.Any = None) -> None:
        ...
class Evaluator:
    """
    Anything that gives a Score of a table.
    """
    def __repr__(self) -> str:
        ...
    def evaluate(self, real: Table | None, synthetic: Table, context: EvaluationContext = ...) -> Score:
        """
        The Score of a synthetic table, against a real one or None.
        """
    @property
    def direction(self) -> str:
        """
        Which way is better: 'higher', 'lower' or 'none'.
        """
    @property
    def name(self) -> str:
        """
        The key in reports.
        """
    @property
    def needs(self) -> list[str]:
        """
        What it is not asked without: 'reference', 'holdout', 'target', 'subject', 'embedder'.
        """
    @property
    def range(self) -> tuple[float, float]:
        """
        The smallest and largest possible value; may be infinite.
        """
class Timing:
    """
    What one evaluator cost.
    """
    @property
    def memory_growth_bytes(self) -> int:
        """
        By which the peak resident memory of the process grew; 0 where unknown.
        """
    @property
    def name(self) -> str:
        """
        The evaluator's.
        """
    @property
    def seconds(self) -> float:
        """
        Of wall time.
        """
class Report:
    """
    Scores, what they cost, and facts about the run.
    """
    @staticmethod
    def from_json(json: str) -> Report:
        """
        The report of a JSON form; ParseError if it is none.
        """
    def __contains__(self, arg0: str) -> bool:
        ...
    def __getitem__(self, name: str) -> Score:
        """
        The score of this name; EvaluationError names those there are.
        """
    def __getstate__(self) -> tuple[str]:
        ...
    def __iter__(self) -> collections.abc.Iterator[Score]:
        ...
    def __len__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    def __setstate__(self, arg0: tuple) -> None:
        ...
    def _repr_html_(self) -> typing.Any:
        ...
    def set_fact(self, name: str, value: typing.Any) -> None:
        """
        Adds or replaces a fact about the run; the value must fit JSON.
        """
    def to_dict(self) -> dict:
        """
        The JSON form as a dict.
        """
    def to_json(self) -> str:
        """
        The versioned JSON form.
        """
    def to_markdown(self) -> str:
        """
        The scores as a table.
        """
    @property
    def facts(self) -> dict:
        """
        Facts about the run, by name.
        """
    @property
    def library(self) -> str:
        """
        Version of synthema that measured.
        """
    @property
    def scores(self) -> list[Score]:
        """
        The scores in the order in which they were asked for.
        """
    @property
    def timings(self) -> list[Timing]:
        """
        What each evaluator cost.
        """
    @property
    def title(self) -> str:
        """
        Title of the page.
        """
    @title.setter
    def title(self, arg0: str) -> None:
        ...
def _constraint_nonconformities(constraint: typing.Any) -> list[str]:
    ...
def _copula_from_statistics(json: str, file: str = '', threads: typing.SupportsInt | typing.SupportsIndex = 0) -> _GaussianCopula:
    """
    A copula from published statistics in JSON.
    """
def _csv_column(text: typing_extensions.Buffer, name: str, kinds: Schema, inferred: bool, *, delimiter: str = ',', decimal: str = '.', dates: str = 'ymd', file: str = '') -> Table:
    """
    One column of CSV text, as a table.
    """
def _csv_shape(text: typing_extensions.Buffer, *, delimiter: str = ',', decimal: str = '.', dates: str = 'ymd', schema: Schema | None = None, file: str = '') -> tuple:
    """
    Schema and number of rows of CSV text, which is not kept.
    """
def _far_integers(table: Table) -> dict:
    """
    The ends of the columns of whole numbers that reach beyond 2^53, by name.
    """
def _labels(table: Table) -> dict:
    """
    The labels that columns of categories may have, in their order, by name.
    """
def _nonconformities(evaluator: Evaluator, real: Table | None, synthetic: Table, context: EvaluationContext, row_order: bool) -> list[str]:
    ...
def _peak_memory() -> int:
    """
    The most memory that this process has held, in bytes.
    """
def _python_evaluator(function: typing.Any, name: str, direction: str, range: tuple[typing.SupportsFloat | typing.SupportsIndex, typing.SupportsFloat | typing.SupportsIndex], needs: collections.abc.Sequence[str]) -> Evaluator:
    ...
def _python_learner(name: str, function: typing.Any) -> Learner:
    ...
def _python_model(model: typing.Any, digest: str, numeric_path: str, location: str) -> CompletionModel:
    ...
def _python_strategy(name: str, function: typing.Any) -> PromptStrategy:
    ...
def _row_number_columns(table: Table) -> list[str]:
    """
    Columns without a role that count the rows.
    """
def _sample_with_targets(schema: Schema, sample: collections.abc.Callable, rows: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, conditions: Table, balance: dict, targets: collections.abc.Sequence[str], sensitive: collections.abc.Sequence[str]) -> Table:
    """
    Rows of a generator under stated shares and parity.
    """
def _schema_misfit(schema: Schema, rows: Table) -> str | None:
    """
    The first row that does not fit a schema, without its values.
    """
def _seed_of_run(folder: str) -> int:
    ...
def _short_answer(prompt: Prompt) -> str | None:
    ...
def _verify(folder: str, strategy: PromptStrategy, model: CompletionModel, conditions: Table, draw: typing.Any, exemplars: Table, schema: Schema, checks: collections.abc.Sequence[Check], sample: typing.SupportsInt | typing.SupportsIndex | None, cycle: bool) -> VerifyResult:
    ...
def _verify_lines(folder: str) -> VerifyResult:
    ...
def _zones(table: Table) -> dict:
    """
    The time zones of the columns that have one, by name.
    """
def all_evaluators(options: SuiteOptions = ...) -> list[Evaluator]:
    """
    All suites, and what is in none (stemmed ROUGE).
    """
def auroc(scores: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], labels: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> float | None:
    """
    Chance that a row labelled 1 scores above one labelled 0, ties half; None without both.
    """
def average_precision(scores: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], labels: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> float | None:
    """
    Area under precision against recall; None without a 1.
    """
def balanced_accuracy(probabilities: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], classes: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> float | None:
    """
    Mean recall of the classes, of the most probable class.
    """
def banned_words(phrases: collections.abc.Sequence[str], field: str = 'text') -> Check:
    """
    Check: none of these words or phrases occurs.
    """
def best_of(strategy: PromptStrategy, n: typing.SupportsIndex) -> PromptStrategy:
    """
    Every question of another strategy asked n times, going on with the likeliest answer.
    
    The likeliest is that of the largest mean log-probability of its drawn tokens. It raises plausibility and
    lowers diversity.
    
    Parameters
    ----------
    strategy : PromptStrategy
        Who asks.
    n : int
        Answers to choose from, at least 1.
    """
def boosted_trees(*, rounds: typing.SupportsInt | typing.SupportsIndex = 100, learning_rate: typing.SupportsFloat | typing.SupportsIndex = 0.1, max_leaves: typing.SupportsInt | typing.SupportsIndex = 31, max_depth: typing.SupportsInt | typing.SupportsIndex = 0, min_samples_leaf: typing.SupportsInt | typing.SupportsIndex = 20, l2: typing.SupportsFloat | typing.SupportsIndex = 0.0, early_stopping_from: typing.SupportsInt | typing.SupportsIndex = 10000, validation_share: typing.SupportsFloat | typing.SupportsIndex = 0.1, patience: typing.SupportsInt | typing.SupportsIndex = 10) -> Learner:
    """
    Return a learner of gradient-boosted histogram trees.
    
    Parameters
    ----------
    rounds : int
        Most rounds of boosting.
    learning_rate : float
        Factor of every tree.
    max_leaves, max_depth, min_samples_leaf : int
        Limits of a tree; a depth of 0 is no limit.
    l2 : float
        Penalty on the values of leaves.
    early_stopping_from : int
        With more training rows, `validation_share` of them decide when to stop: after `patience` rounds in which their
        loss has not fallen.
    validation_share, patience : float, int
        See there.
    
    Returns
    -------
    Learner
    """
def brier_score(probabilities: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], labels: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> float | None:
    """
    Mean squared difference of probability and label.
    """
def calibration_error(probabilities: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], labels: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], bins: typing.SupportsInt | typing.SupportsIndex = 10) -> float | None:
    """
    Mean over rows of the absolute difference of mean probability and share of 1 in the row's bin of equal width.
    """
def concept_recovered(terms: Table, max_rank: typing.SupportsIndex, label_field: str = 'label', field: str = 'text', id_column: str = 'id', columns: collections.abc.Sequence[str] = ['name', 'synonyms', 'definition']) -> Check:
    """
    Check: a BM25 search with the text finds the condition's label among the first max_rank terms.
    """
def corpus_bleu(hypotheses: collections.abc.Sequence[str], references: collections.abc.Sequence[str]) -> float:
    """
    sacreBLEU of a corpus with one reference a text, 0 to 100.
    """
def corpus_chrf(hypotheses: collections.abc.Sequence[str], references: collections.abc.Sequence[str]) -> float:
    """
    chrF of a corpus with one reference a text, as sacreBLEU, 0 to 100.
    """
def discrete_gaussian(variance: typing.SupportsFloat | typing.SupportsIndex, n: typing.SupportsIndex) -> list[int]:
    """
    n integers of P(x) ~ exp(-x^2 / (2 variance)), sampled exactly from the operating system's entropy.
    """
def discrete_laplace(scale: typing.SupportsFloat | typing.SupportsIndex, n: typing.SupportsIndex) -> list[int]:
    """
    n integers of ``P(x) ~ exp(-|x| / scale)``, sampled exactly from the operating system's entropy.
    """
def ends_with_punctuation(field: str = 'text') -> Check:
    """
    Check: the text ends with . ! or ?, perhaps followed by a closing quote or bracket.
    """
def evaluate_all(evaluators: collections.abc.Sequence[Evaluator], real: Table | None, synthetic: Table, context: EvaluationContext, progress: typing.Any = None) -> Report:
    """
    Ask evaluators in their order; `synthema.evaluate` chooses them and makes the context.
    """
def evaluator_named(name: str, options: SuiteOptions = ...) -> Evaluator:
    """
    One evaluator; ConfigError names those there are.
    """
def exponential_choice(scores: collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], epsilon: typing.SupportsFloat | typing.SupportsIndex, sensitivity: typing.SupportsFloat | typing.SupportsIndex) -> int:
    """
    The index of one score, drawn in proportion to exp(epsilon score / (2 sensitivity)) from the operating system's entropy.
    """
def f1_score(probabilities: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], classes: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> float | None:
    """
    F1 of class 1 of two, else the mean of all classes, of the most probable class.
    """
def few_shot(query: str, *, instruction: str = '', field: str = 'text', k: typing.SupportsIndex = 4, choice: str = 'random', order: str = 'best_last', label_field: str = 'label', chat: bool = False, between: str = '\n\n', joint: str = ' ', stop: collections.abc.Sequence[str] = ['\n'], sampling: Sampling | None = None, budget: typing.SupportsIndex = 0, count_tokens: typing.Any = None) -> PromptStrategy:
    """
    Some exemplars of the pool, then the question in the same form.
    
    Parameters
    ----------
    query : str
        Template over a condition and over an exemplar alike: what asks for the text.
    instruction : str
        Template over the condition; stands first (chat: the system message).
    field : str
        Of an exemplar: what answers its query. Of the row: where the answer goes.
    k : int
        Exemplars shown.
    choice : {'random', 'by_label', 'by_similarity'}
        by_label fills up from other labels; by_similarity ranks by TF-IDF cosine of the rendered query.
    order : {'best_last', 'best_first', 'shuffled'}
        Where the best chosen exemplar stands.
    label_field : str
        Of condition and pool, for by_label.
    chat : bool
        Exemplars are turns of user and assistant; else plain text to be continued.
    between, joint : str
        Plain form: what stands between exemplars, and between a query and its text.
    stop : list of str
        The answer ends before the first of these.
    sampling : Sampling, optional
        Replaces the run's values.
    budget : int
        Most tokens of the prompt; the worst exemplars are left out until it fits. 0: no limit.
    count_tokens : callable, optional
        Text to number of tokens; needed with a budget.
    """
def find_identifiers(text: str) -> list[tuple[int, int, str]]:
    """
    What may name a person by its form, as (begin, end, kind) in characters: e-mail and web addresses, dates, phone and record numbers, streets, and names after a title.
    """
def in_language(language: str = 'en', share: typing.SupportsFloat | typing.SupportsIndex = 0.15, field: str = 'text') -> Check:
    """
    Check: Latin letters and at least this share of English function words. A rough test.
    """
def json_record(query: str, schema: Schema, *, instruction: str = '', k: typing.SupportsIndex = 4, choice: str = 'random', order: str = 'best_last', label_field: str = 'label', chat: bool = False, between: str = '\n\n', joint: str = '\n', sampling: Sampling | None = None, budget: typing.SupportsIndex = 0, count_tokens: typing.Any = None) -> PromptStrategy:
    """
    A row of a table: the model writes the fields of a schema as JSON, under a mask.
    
    The answer cannot but be a JSON object with the schema's fields, in their order, within their ranges and categories
    and under the schema's rules. Exemplars are shown in the same form. Fields that the condition has are not asked for.
    
    Parameters
    ----------
    query : str
        Template over a condition and over an exemplar alike: what asks for the row.
    schema : Schema
        The fields to write. Texts without a maximum length have at most 256 characters, lists at most 8 elements.
    k : int
        Exemplars shown; 0 shows none and needs no pool.
    joint : str
        Plain form: what stands between a query and its JSON.
    instruction, choice, order, label_field, chat, between, sampling, budget, count_tokens
        As for `few_shot`.
    
    Notes
    -----
    ``max_tokens`` does not cut a row short: it limits what texts and lists may take beyond their shortest form.
    """
def label_columns(table: Table) -> list[str]:
    """
    The text columns without a role that hold labels: at most 1,000 different texts, each used twice on average; where some are longer than 64 bytes, at most 20, each used ten times on average.
    """
def label_conditioned(instruction: str, terms: Table, *, label_field: str = 'label', id_column: str = 'id', name_column: str = 'name', synonyms_column: str = 'synonyms', definition_column: str = 'definition', system: str = '', field: str = 'text', chat: bool = True, stop: collections.abc.Sequence[str] = [], sampling: Sampling | None = None) -> PromptStrategy:
    """
    An instruction that explains the wanted label from a term list.
    
    Besides the condition's fields the templates may use {label_id}, {label_name}, {label_synonyms} and
    {label_definition}.
    
    Parameters
    ----------
    instruction : str
        Template over the condition and the label's term.
    terms : Table
        One row per label; columns as named below.
    label_field : str
        Field of the condition that holds a term's id.
    """
def length_in_words(minimum: typing.SupportsIndex, maximum: typing.SupportsIndex, field: str = 'text') -> Check:
    """
    Check: the text has this many words, both bounds inclusive.
    """
def likely_enough(minimum: typing.SupportsFloat | typing.SupportsIndex) -> Check:
    """
    Check: the mean log-probability of the row's drawn tokens is at least this (natural log, at most 0).
    """
def linear_coefficients(table: Table, target: str, *, l2: typing.SupportsFloat | typing.SupportsIndex = 1.0) -> tuple[numpy.typing.NDArray[numpy.float64], list[float]]:
    """
    Coefficients {outputs, names of the DesignEncoding} of the linear model of a column, and its intercepts.
    """
def linear_model(*, l2: typing.SupportsFloat | typing.SupportsIndex = 1.0) -> Learner:
    """
    Return a learner of (multinomial) logistic or ridge regression on standardised columns.
    
    Parameters
    ----------
    l2 : float
        Half of it times the sum of the squared coefficients is added to the summed loss: 1 / C of scikit-learn.
    
    Returns
    -------
    Learner
    """
def longest_common_run(a: str, b: str) -> int:
    """
    How many words in a row two texts share at most.
    """
def matches_choice(field: str, condition_field: str) -> Check:
    """
    Check: the field equals what the condition asks for.
    """
def multiclass_auroc(probabilities: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], classes: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> float | None:
    """
    AUROC of class 1 of two, else the mean over classes of one against the rest.
    """
def ngram_model(texts: collections.abc.Sequence[str], order: typing.SupportsIndex = 3) -> CompletionModel:
    """
    A tiny word n-gram model trained on some texts, for examples and tests.
    
    It knows nothing of the prompt except its last words and its choices, and is of no use for real data.
    
    Parameters
    ----------
    texts : list of str
        What it learns from.
    order : int
        Words of one n-gram, 2 to 8.
    """
def no_exemplar_copy(exemplars: Table, run: typing.SupportsIndex = 8, field: str = 'text', pool_field: str = 'text') -> Check:
    """
    Check: the text shares no run of so many words with any exemplar.
    """
def one_line(field: str = 'text') -> Check:
    """
    Check: the text has no line break.
    """
def porter_stem(word: str) -> str:
    """
    The Porter stem of a lower-case English word, with NLTK's changes.
    """
def privacy_epsilon(mechanism: GaussianMechanism | LaplaceMechanism | ExponentialMechanism, delta: typing.SupportsFloat | typing.SupportsIndex, releases: typing.SupportsInt | typing.SupportsIndex, accounting: str) -> float:
    """
    See synthema.privacy.epsilon.
    """
def privacy_noise_multiplier(epsilon: typing.SupportsFloat | typing.SupportsIndex, delta: typing.SupportsFloat | typing.SupportsIndex, sampling_rate: typing.SupportsFloat | typing.SupportsIndex, releases: typing.SupportsInt | typing.SupportsIndex, accounting: str) -> float:
    """
    See synthema.privacy.noise_multiplier.
    """
def r_squared(predicted: typing.Annotated[numpy.typing.ArrayLike, numpy.float64], labels: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> float | None:
    """
    1 - residual / total sum of squares; None where labels are constant.
    """
def read_manifest(folder: str) -> dict:
    """
    The manifest of a run folder as a dict; RunFolderError if there is none.
    """
def rouge(target: str, prediction: str, variant: str = 'l', *, stem: bool = False) -> tuple[float, float, float]:
    """
    Precision, recall and F1 as rouge-score gives them.
    """
def scripted_model(answers: typing.Any, *, location: str = 'in_process', newest_first: bool = False, digest: str = 'scripted') -> CompletionModel:
    """
    A model that answers from a script, for tests.
    
    Parameters
    ----------
    answers : dict or callable
        Prompt text to answer; or a pure function of a CompletionRequest that gives a str or a Completion.
    location : str
        'in_process', 'this_host' or 'remote'.
    newest_first : bool
        Answer the newest question first.
    """
def self_bleu(texts: collections.abc.Sequence[collections.abc.Sequence[str]]) -> list[float]:
    """
    Self-BLEU-4 of each text (a list of words) against all others, 0 to 1.
    """
def sentence_bleu(hypothesis: str, reference: str) -> float:
    """
    sacreBLEU of one text, 0 to 100.
    """
def sentence_chrf(hypothesis: str, reference: str) -> float:
    """
    chrF of one text as sacreBLEU, 0 to 100.
    """
def sentence_count(text: str) -> int:
    """
    How many sentences a text has.
    """
def table_suite(options: SuiteOptions = ...) -> list[Evaluator]:
    """
    The evaluators of columns against a real table.
    """
def text_privacy_suite(options: SuiteOptions = ...) -> list[Evaluator]:
    """
    The evaluators of what synthetic texts give away about real ones.
    """
def text_suite(options: SuiteOptions = ...) -> list[Evaluator]:
    """
    The evaluators of texts.
    """
def tokens_13a(text: str) -> list[str]:
    """
    The tokens of mteval-v13a as sacreBLEU makes them.
    """
def words(text: str) -> list[str]:
    """
    The lower-cased runs of letters and digits of a text.
    """
def zero_shot(instruction: str, *, system: str = '', field: str = 'text', chat: bool = True, stop: collections.abc.Sequence[str] = [], sampling: Sampling | None = None) -> PromptStrategy:
    """
    One instruction, one answer.
    
    Parameters
    ----------
    instruction : str
        Template over the condition: {age} is its field 'age'; {{ and }} stand for braces.
    system : str
        Template of a system message (chat form only).
    field : str
        Where the answer goes; the row is the condition's fields and this one.
    chat : bool
        False: the instruction is plain text to be continued.
    stop : list of str
        The answer ends before the first of these.
    sampling : Sampling, optional
        Replaces the run's values.
    """
__version__: str
