"""Answers written at random under a constraint, in the way of the engine."""


def draw(constraint, rng, feed=True):
    """Write an answer by random allowed tokens, in the way of the engine."""
    for _ in range(3000):
        forced = constraint.forced() if feed else ()
        if len(forced):
            assert all(constraint.accept(int(id)) for id in forced)
            continue
        allowed = constraint.allowed()
        if constraint.is_complete and (not len(allowed) or rng.random() < 0.3):
            return constraint.text.decode("utf-8")
        assert len(allowed), constraint.text
        assert constraint.accept(int(allowed[rng.randrange(len(allowed))]))
    raise AssertionError("the answer does not end")


def reachable(constraint, ids):
    """Whether these tokens are a way through the form as the engine goes it."""
    ids = list(ids)
    while ids:
        forced = [int(id) for id in constraint.forced()]
        if forced:
            if ids[: len(forced)] != forced:
                return False
        elif ids[0] not in constraint.allowed():
            return False
        for id in forced or ids[:1]:
            assert constraint.accept(id)
        ids = ids[len(forced) or 1 :]
    return constraint.is_complete
