"""A generator: each column drawn from its own real values, independently of the others. A baseline."""

import synthema
from synthema import GenerationError, Random, Table


class IndependentColumns:
    """Keeps the real rows and draws every cell by itself: it copies values and loses all dependence."""

    name = "independent_columns"

    def __init__(self):
        self._real = None

    @property
    def schema(self):
        """What the columns of a sample mean."""
        return self._fitted().schema

    def fit(self, real):
        """Take the real rows."""
        self._real = synthema.table(real)

    def sample(self, rows, seed, conditions=None):
        """Give a table of exactly `rows` rows; the same seed, the same table."""
        real = self._fitted()
        columns = {name: real.values(name) for name in real.names}
        records = []
        for row in range(rows):
            rng = Random(seed).stream(row)
            records.append({name: rng.choice(values) for name, values in columns.items()})
        return Table.from_records(real.schema, records)

    def _fitted(self):
        if not self._real:
            raise GenerationError("The generator has no rows to draw from; call fit first.")
        return self._real
