"""The report page: self-contained, escaped, complete, and honest in its words."""

import html.parser
import itertools
import json
import random
import re
from importlib import resources

import pytest
import synthema
from synthema import reporting
from synthema.reporting import charts, numbers, usefulness, verdict
from synthema.reporting.markup import Html, element
from synthema.reporting.rows import highlighted

EVIL = '<script>alert("x")</script><img src=http://evil.example/a.png onerror=alert(1)>'


def score(name, value, **more):
    """A score in its JSON form."""
    return {
        "name": name,
        "estimand": f"What {name} estimates.",
        "value": value,
        "n": 40,
        "direction": "higher",
        "range": {"low": 0, "high": 1},
        "convention": "synthema",
        "definition": "a definition",
        "interval": {"low": max(0, value - 0.1), "high": value + 0.1, "level": 0.95, "method": "bootstrap"},
        **more,
    }


@pytest.fixture
def document():
    """A small report document with every part, hostile text included."""
    row = {
        "row": 3,
        "attempt": 1,
        "condition": {"concept": "HP:1", "concept_name": "Headache", "age": 34},
        "values": {"text": f"A 34-year-old {EVIL}"},
        "highlights": [[2, 13, "age"]],
        "provenance": {"strategy": "s", "model": "m" * 64, "digest": "d" * 64, "tokens": {"free": 20}},
    }
    accepted = [
        score("label_recovery_top1", 0.6, floor={"value": 0.001, "source": "shuffled"}),
        score("self_bleu_4", 0.3, direction="lower"),
        score("acceptance_rate", 0.25),
        {
            "name": "perplexity",
            "undefined": "No scorer was given.",
            "n": 0,
            "range": {"low": 1, "high": "inf"},
        },
    ]
    return {
        "title": EVIL,
        "sections": [
            {"name": "accepted", "title": "Accepted rows", "rows": 40, "scores": accepted},
            {
                "name": "drafts",
                "title": "All drafts",
                "rows": 160,
                "scores": [score("label_recovery_top1", 0.4)],
            },
        ],
        "run": {"command": f"synthema demo --out '{EVIL}'", "accepted": 40, "attempts": 160, "seed": 7},
        "rejections": {"facts": 90, EVIL: 30},
        "concepts": [{"id": "HP:1", "name": EVIL, "accepted": 1, "attempts": 4}],
        "lengths": {"accepted": [20, 21, 25], "drafts": [5, 20, 21, 25, 60]},
        "rows": [row],
        "rejected": [{**row, "check": "facts", "reason": EVIL}],
        "columns": {"text": "text", "label": "concept", "name": "concept_name"},
        "data": {"source": EVIL, "licence": "some"},
        "warnings": [EVIL],
    }


class Page(html.parser.HTMLParser):
    """Tags, attributes and balance of a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.urls, self.scripts = [], [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.scripts += tag == "script"
        self.urls += [
            v for k, v in attributes if k in ("src", "href", "action", "data") or k.startswith("on")
        ]
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_untrusted_text_is_escaped_everywhere(document):
    text = reporting.render(document)
    page = Page(text)
    assert page.open == []
    assert page.scripts == 0
    assert "img" not in page.tags
    assert page.urls == []
    assert EVIL not in text
    assert text.count("&lt;script&gt;") >= 8


def test_the_page_loads_nothing(document):
    text = reporting.render(document)
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_paper_has_the_wide_layout_in_light_colours_without_what_is_folded():
    style = (resources.files("synthema.reporting") / "style.css").read_text(encoding="utf-8")
    assert re.findall(r"@media([^{]*)\{", style) == [
        " screen and (prefers-color-scheme:dark)",
        " screen and (max-width:760px)",
        " screen and (max-width:520px)",
        " print",
    ]
    assert "details:not([open]){display:none}" in style.partition("@media print")[2]


def test_every_score_is_shown_with_value_interval_and_reason(document):
    text = reporting.render(document)
    for part in ("60.0 %", "50.0 to 70.0 %", "40.0 %", "No scorer was given.", "What self_bleu_4 estimates."):
        assert part in text


def test_the_verdict_names_acceptance_recovery_and_floor(document):
    words = " ".join(verdict.summary(document))
    assert "Out of 160 drafts, 40 became accepted rows: 25.0 %" in words
    assert "60.0 % of the accepted rows, against 40.0 % of all drafts" in words
    assert "knowing nothing would give 0.1 %" in words


def test_rows_without_their_drafts_are_not_called_accepted():
    recovered = {"rows": 50, "scores": [score("label_recovery_top1", 0.6)]}
    assert verdict.summary({"sections": [recovered]}) == [
        "A retriever ranks the intended concept first for 60.0 % of the rows."
    ]


def test_a_score_is_not_taken_for_another_whose_name_begins_alike():
    recovered = {"rows": 500, "scores": [score("label_recovery_top10", 0.6)]}
    assert verdict.summary({"sections": [recovered]}) == ["1 of 1 measure could be computed on 500 rows."]
    nearer = {"rows": 500, "scores": [measured("dcr_share_worst_group", 0.7, 0.5)]}
    assert len(verdict.weaknesses(nearer)) == 1
    assert verdict.summary({"sections": [nearer]})[0].startswith("Of 1 measure of privacy 1 is worse")


def test_other_rows_side_by_side_are_no_drafts():
    recovered = {"rows": 500, "scores": [score("label_recovery_top1", 0.6)]}
    site = {"name": "external_synthetic", "title": "Synthetic rows, other site", "scores": []}
    document = {"sections": [recovered, site | {"scores": [score("acceptance_rate", 0.1)]}]}
    assert verdict.summary(document)[0].startswith("A retriever ranks the intended concept first")
    page = reporting.render(document)
    assert "flattered by the checks" not in page
    assert "Acceptance rate is" not in page


def test_an_accuracy_that_independent_columns_reach_too_tells_nothing_of_dependence():
    def said(ceiling, floor):
        section = {"rows": 400, "scores": [measured("accuracy", 0.793, ceiling, floor=floor)]}
        return verdict.summary({"sections": [section]})[0]

    assert said(0.9, 0.7).endswith("fresh real rows would reach 90.0 % and independent columns 70.0 %.")
    assert said(0.769, 0.785).endswith(
        "independent columns 78.5 %: rows are too few, or columns depend too little on each other, to tell "
        "whether dependence is kept."
    )


def test_what_could_not_be_computed_is_told_with_its_reason():
    def without(*reasons):
        scores = [{"name": f"measure_{i}", "undefined": one} for i, one in enumerate(reasons)]
        return verdict.summary({"sections": [{"rows": 20, "scores": scores}]})

    missing = "No holdout was given."
    assert without(missing) == [f"0 of 1 measure could be computed on 20 rows. Measure-0: {missing}"]
    assert without(missing, missing)[0].endswith(f"Measure-0, Measure-1: {missing}")
    assert without("a.", "b.", "c.", "d.") == ["0 of 4 measures could be computed on 20 rows."]


def test_parts_of_another_kind_than_the_measure_are_no_shares_and_all_are_counted():
    parts = [{"name": "near", "value": 0.25, "n": 8}, {"name": "rows compared", "value": 200, "n": 200}]
    page = reporting.render({"scores": [score("nearest_note_share", 0.5, parts=parts)]})
    assert "25.0 % of 8" in page
    assert "200 of 200" in page
    assert "20000 %" not in page
    many = [{"name": f"column {i}", "value": 0.5} for i in range(200)]
    page = reporting.render({"scores": [score("column_shapes", 0.5, parts=many)]})
    assert "140 further parts in report.json." in page
    assert "further part" not in reporting.render({"scores": [score("column_shapes", 0.5, parts=many[:60])]})


def test_long_names_do_not_push_charts_off_a_phone():
    style = resources.files("synthema.reporting").joinpath("style.css").read_text(encoding="utf-8")
    assert "overflow-wrap:break-word" in style
    assert ".pair>*,.squares>*{min-width:0}" in style


def test_an_interval_of_another_level_says_so():
    @synthema.evaluator(range=(0, 1))
    def sure(real, synthetic, context):
        return {"value": 0.5, "n": 3, "interval": {"low": 0.2, "high": 0.7, "level": 0.8, "method": "m"}}

    report = synthema.evaluate({"x": [1.0, 2.0]}, metrics=[sure])
    assert "0.20 to 0.70 at 80.0 %" in reporting.render(report)
    assert "0.200 to 0.700 at 80 %" in str(report)
    usual = reporting.render({"scores": [score("sure", 0.5)]})
    assert "0.40 to 0.60" in usual
    assert "at 95" not in usual


def test_weak_scores_are_called_weak_and_good_ones_are_not():
    weak = {"rows": 500, "scores": [score("acceptance_rate", 0.2), score("near_duplicates", 0.2)]}
    good = {"rows": 500, "scores": [score("acceptance_rate", 0.9), score("near_duplicates", 0.0)]}
    assert len(verdict.weaknesses(weak)) == 2
    assert verdict.weaknesses(good) == []


def measured(name, value, ceiling, interval=None, floor=None):
    bounds = {"ceiling": {"value": ceiling}} | ({} if floor is None else {"floor": {"value": floor}})
    return score(name, value) | bounds | ({} if interval is None else {"interval": interval})


def test_a_copy_is_useful_and_gives_people_away():
    copy = {
        "rows": 5000,
        "scores": [
            measured("accuracy", 0.978, 0.982, floor=0.918),
            measured("train_synthetic_test_real", 0.926, 0.927, floor=0.5),
            measured("membership_by_distance", 0.69, 0.5, {"low": 0.68, "high": 0.70}),
            measured("nnaa_privacy_loss", 0.2, 0.0),
            measured("dcr_share", 0.51, 0.5, {"low": 0.49, "high": 0.53}),
        ],
    }
    found = verdict.weaknesses(copy)
    assert [text.split(" is ")[0] for text in found[:2]] == ["NNAA privacy loss", "Membership by distance"]
    assert "as useful as the real rows (0.93 of 0.93) while attacks succeed" in found[2]
    assert len(found) == 3
    near, useful, private = verdict.summary({"sections": [copy]})
    assert "fresh real rows would reach" in near
    assert "learns from it" in useful
    assert private.startswith("Of 3 measures of privacy 2 are worse than fresh real rows")


def test_one_of_many_measures_may_be_worse_by_chance():
    def privacy(low, *others):
        scores = [measured("dcr_share", 0.56, 0.5, {"low": low, "high": 0.6}), *others]
        return verdict.summary({"sections": [{"rows": 500, "scores": scores}]})[-1]

    fine = [
        measured("near_copies", 0.05, 0.05, {"low": 0.03, "high": 0.07}),
        measured("membership_by_distance", 0.5, 0.5, {"low": 0.46, "high": 0.54}),
        measured("nnaa_privacy_loss", 0.01, 0.0) | {"interval": None},
    ]
    assert "1 is worse than fresh real rows: the rows tell something" in privacy(0.51)  # it alone
    assert "though by no more than chance may do to 1 of 4: measure again" in privacy(0.51, *fine)
    assert "1 is worse than fresh real rows: the rows tell something" in privacy(0.53, *fine)
    member = measured("membership_by_distance", 0.56, 0.5, {"low": 0.51, "high": 0.61})
    assert "2 are worse than fresh real rows: the rows tell something" in privacy(0.51, *fine[::2], member)
    copied = measured("exact_copies", 0.05, 0.0, {"low": 0.03, "high": 0.07})
    assert "2 are worse than fresh real rows: the rows tell something" in privacy(0.51, *fine, copied)


def test_without_an_interval_few_rows_need_more():
    def found(n):
        loss = measured("nnaa_privacy_loss", 0.09, 0.0) | {"interval": None, "n": n}
        return verdict.leaks({"rows": n, "scores": [loss]})

    assert found(100) == []  # a margin of 0.11
    assert len(found(200)) == 1  # 0.078
    assert len(found(10_000)) == 1  # 0.05


def drifted_copy(*more):
    scores = [
        measured("train_synthetic_test_real", 0.926, 0.927, floor=0.5),
        measured("membership_by_distance", 0.69, 0.5, {"low": 0.68, "high": 0.70}),
        measured("dcr_share", 0.8, 0.5, {"low": 0.7, "high": 0.9}),
        *more,
    ]
    return {"sections": [{"rows": 5000, "scores": scores}], "drift": "Of another population: 'age'."}


def test_with_a_holdout_of_another_population_attacks_are_not_said_to_succeed():
    same = drifted_copy(measured("exact_copies", 0.0, 0.0, {"low": 0.0, "high": 0.01}))
    assert verdict.summary(same)[0] == "Of another population: 'age'."
    assert verdict.summary(same)[-1] == "None of 1 measure of copies is worse than the holdout."
    page = reporting.render(same)
    assert "attacks succeed" not in page.partition("How to read this page")[0]
    assert "Membership by distance is" not in page
    assert "so these are no risks" in page
    assert "attacks succeed" in reporting.render({"sections": same["sections"]})


def test_copies_count_whatever_the_holdout_is():
    copied = drifted_copy(measured("exact_copies", 0.4, 0.0, {"low": 0.35, "high": 0.45}))
    assert verdict.summary(copied)[-1].startswith("Of 1 measure of copies 1 is worse than the holdout: ")
    assert "rows of the training data are repeated whole" in reporting.render(copied)


def part(name, value, note=""):
    return {"name": name, "value": value, "n": 400, "note": note}


def test_broken_columns_are_named_first():
    shapes = score("column_shapes", 0.4) | {
        "parts": [
            part("age", 0.0, "no value within the real range; the median is 365 times the real one"),
            part("bmi", 0.0, "no synthetic values: the worst there is"),
            part("rare", 0.0, "no synthetic values: the worst there is"),
            part("height", 0.97),
            part("nothing", None, "undefined: no values, or a real column without spread"),
        ]
    }
    missing = score("missing_value_similarity", 0.6) | {
        "parts": [part("bmi", 0.1), part("rare", 0.95), part("smoker", 0.2), part("height", 1.0)]
    }
    document = {"sections": [{"rows": 400, "scores": [shapes, missing]}], "drift": "Of another population."}
    broken, drift, *_ = verdict.summary(document)
    assert broken == (
        "Broken columns: 'age' (no value within the real range; the median is 365 times the real one), "
        "'bmi' (no synthetic values), 'smoker' (80.0 % more or fewer values are missing)."
    )
    assert drift == "Of another population."
    shapes["parts"] = [part(f"x{i}", 0.0, "no label of the real rows") for i in range(8)]
    named = verdict.summary({"sections": [{"rows": 400, "scores": [shapes]}]})[0]
    assert "'x4' (no label of the real rows), 3 other columns." in named
    shapes["parts"] = [part("height", 0.97)]
    assert not any("Broken" in one for one in verdict.summary({"sections": [{"scores": [shapes]}]}))


def test_rows_like_fresh_real_ones_are_no_leak():
    fresh = {
        "rows": 5000,
        "scores": [
            measured("train_synthetic_test_real", 0.926, 0.927),
            measured("membership_by_distance", 0.51, 0.5, {"low": 0.49, "high": 0.52}),
            measured("nnaa_privacy_loss", 0.02, 0.0),
        ],
    }
    assert verdict.weaknesses(fresh) == []
    assert verdict.summary({"sections": [fresh]})[-1] == (
        "None of 2 measures of privacy is worse than fresh real rows."
    )


def test_without_a_holdout_no_copies_are_not_said_to_be_privacy():
    def people(seed):
        draw = random.Random(seed)
        return {name: [draw.gauss(25, 4) for _ in range(90)] for name in ("bmi", "haematocrit")}

    rows, real, later = people(1), people(2), people(3)

    def said(*holdout, **options):
        report = synthema.evaluate(rows, real, *holdout, bootstrap=50, **options)
        return verdict.summary(reporting.as_document(report))[-1]

    copies = {"metrics": ["exact_copies", "rare_value_reuse"]}
    assert said(**copies) == (
        "None of 2 measures of copies is worse than fresh real rows. "
        "More is not known of privacy: attacks need a holdout, real rows that no generator saw."
    )
    assert "More is not known" not in said(later, **copies)


def test_a_small_sample_is_called_small():
    assert "With 40 rows" in verdict.weaknesses({"rows": 40, "scores": []})[0]


def test_an_evaluation_alone_is_a_page_too():
    text = reporting.render({"report_version": 1, "title": "My data", "scores": [score("distinct_2", 0.8)]})
    assert "My data" in text
    assert "0.80" in text


def test_an_empty_document_is_still_a_page():
    Page(reporting.render({"title": "Nothing", "sections": []}))


def test_what_is_no_report_is_refused():
    for nonsense in ([1], 5, "no JSON"):
        with pytest.raises(synthema.ConfigError, match="needs a report, or its document"):
            reporting.render(nonsense)


def test_the_file_is_written_whole(document, tmp_path):
    path = reporting.save(document, tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8") == reporting.render(document)
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_full_report_stays_small(document):
    document["rows"] *= 40
    document["rejected"] *= 40
    document["concepts"] *= 200
    document["sections"][0]["scores"] *= 15
    assert len(reporting.render(document).encode()) < 300_000


def test_the_json_form_is_versioned_and_has_no_nan(document):
    parsed = json.loads(reporting.document_json(document))
    assert (parsed["format"], parsed["version"]) == ("synthema report", 1)
    with pytest.raises(ValueError, match="JSON"):
        reporting.document_json({"x": float("nan")})


def test_the_notebook_frame_keeps_the_page_apart(document):
    frame = reporting.render_inline(document)
    page = Page(frame)
    assert page.tags == ["iframe"]


def test_children_are_escaped_and_attributes_too():
    assert element("p", "<b>", Html("<i>x</i>"), class_='a"b') == '<p class="a&quot;b">&lt;b&gt;<i>x</i></p>'


@pytest.mark.parametrize(
    ("spans", "marked"),
    [
        ([(0, 1, "f")], '<mark title="f">a</mark>&lt;b'),
        ([(0, 2, "f"), (1, 3, "g")], '<mark title="f">a&lt;</mark>b'),  # overlap: the first stays
        ([(2, 9, "f"), (-1, 2, "f")], "a&lt;b"),  # outside the text
    ],
)
def test_highlights(spans, marked):
    assert highlighted("a<b", spans) == marked


def test_dot_and_whisker_lies_where_the_value_is():
    svg = charts.dot_and_whisker([score("x", 0.5, range={"low": 0, "high": 1})], ["rows"])
    centre = float(re.search(r'cx="([\d.]+)"', svg)[1])
    ends = [float(x) for x in re.findall(r'<line x1="([\d.]+)"[^>]*class="axis"', svg)][:1]
    width = float(re.search(r'width="([\d.]+)"', svg)[1])
    assert centre == pytest.approx((ends[0] + width - ends[0]) / 2, abs=0.1)


def test_an_open_range_gets_an_axis_that_holds_all_values():
    one = score("longest_copied_run", 7, range={"low": 0, "high": "inf"}, interval={"low": 5, "high": 12})
    svg = charts.dot_and_whisker([one], ["rows"])
    right = max(float(x) for x in re.findall(r'x2="([\d.]+)"', svg))
    assert right <= 264


def test_histogram_bars_are_shares():
    svg = charts.histogram([[1, 1, 1, 2], [5]], ["a", "b"], "words")
    heights = sorted(float(h) for h in re.findall(r'height="([\d.]+)" class="bar s0"', svg))
    assert heights[-1] == pytest.approx(3 * heights[-2], rel=0.01)


@pytest.mark.parametrize(
    ("value", "text"), [(0.625, "62.5 %"), (0.00041, "0.041 %"), (0, "0 %"), (1, "100 %"), (0.9996, "100 %")]
)
def test_percentages(value, text):
    assert numbers.percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.84, "0.8 s"), (42, "42 s"), (370, "6 min 10 s"), (7380, "2 h 3 min")]
)
def test_durations(seconds, text):
    assert numbers.duration(seconds) == text


def palettes():
    """The colours of the light and of the dark page by name: {"ink": (r, g, b), ...}."""
    style = (resources.files("synthema.reporting") / "style.css").read_text(encoding="utf-8")
    light, dark = (
        {name: _rgb(colour) for name, colour in re.findall(r"--(\w+):#([0-9a-f]{3,6})", block)}
        for block in re.findall(r":root\{([^}]*)\}", style)
    )
    return {"light": light, "dark": dark}


def _rgb(colour):
    digits = "".join(2 * c for c in colour) if len(colour) == 3 else colour
    return tuple(int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))


def contrast(a, b):
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    linear = [[c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in one] for one in (a, b)]
    low, high = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_can_be_read_on_every_ground(mode):
    colours = palettes()[mode]
    grounds = {ground: colours[ground] for ground in ("page", "faint", "warn")}
    poor = [
        (text, ground)
        for text in ("ink", "soft", "blue", "orange")
        for ground, colour in grounds.items()
        if contrast(colours[text], colour) < 4.5
    ]
    assert poor == []
    assert contrast(colours["ink"], colours["mark"]) >= 4.5
    assert contrast(colours["grey"], colours["page"]) >= 3  # lines, not text


def test_no_colour_stands_outside_the_palettes():
    style = (resources.files("synthema.reporting") / "style.css").read_text(encoding="utf-8")
    assert set(palettes()["light"]) == set(palettes()["dark"])
    assert "#" not in re.sub(r":root\{[^}]*\}", "", style)


@pytest.mark.parametrize(("floor", "ceiling"), [(0.76, 0.84), (0.5, 0.52), (0.02, 0.99), (0.9, 0.9)])
def test_labels_of_an_axis_do_not_overlap(floor, ceiling):
    bounds = {"floor": {"value": floor}, "ceiling": {"value": ceiling}}
    drawn = str(charts.dot_and_whisker([score("trivariate_accuracy", 0.84) | bounds], ["rows"]))
    found = re.findall(r'<text x="([\d.]+)"[^>]*?text-anchor="(\w+)"[^>]*>([^<]+)</text>', drawn)
    assert len(found) >= 2
    spans = sorted(charts._span(float(x), text, anchor) for x, anchor, text in found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))


def test_a_usefulness_that_falls_short_is_not_called_that_of_real_rows():
    scores = [
        measured("train_synthetic_test_real", 0.627, 0.667, {"low": 0.58, "high": 0.68}, floor=0.5),
        measured("nnaa_privacy_loss", 0.2, 0.0),
    ]
    assert not any("as useful" in text for text in verdict.weaknesses({"rows": 500, "scores": scores}))


@pytest.mark.parametrize("named", ["Brier score", "F1"])
def test_errors_are_explained_where_they_are_shown(named):
    parts = [{"name": named, "value": 0.2}, {"name": named + usefulness.REAL, "value": 0.1}]
    useful = measured("train_synthetic_test_real", 0.8, 0.9) | {"parts": parts}
    drawn = str(usefulness._trained({"scores": [useful]}))
    assert ("Of Brier score, less is better" in drawn) == (named == "Brier score")


def test_an_area_below_a_half_is_no_merit():
    told = measured("classifier_two_sample", 0.45, 0.5, {"low": 0.41, "high": 0.48})
    holdout = {"name": "all columns, against the holdout", "value": 0.55}
    (text,) = verdict.weaknesses({"rows": 500, "scores": [told | {"parts": [holdout]}]})
    assert "0.45" in text
    assert "0.55" in text
    assert "no merit" in text
    (text,) = verdict.weaknesses({"rows": 500, "scores": [told | {"parts": [holdout | {"value": 0.7}]}]})
    assert text == "A classifier tells it from fresh real rows with an AUROC of 0.70."
    wide = told | {"interval": {"low": 0.4, "high": 0.55}}
    assert verdict.weaknesses({"rows": 500, "scores": [wide]}) == []


def test_the_verdict_names_broken_rules_and_rare_cases():
    rules = {
        "name": "implied_rules",
        "value": 0.9,
        "parts": [{"name": "start <= stop", "value": 0.52}, {"name": "code decides text", "value": 1.0}],
    }
    useful = {
        "name": "train_synthetic_test_real",
        "value": 0.95,
        "ceiling": {"value": 0.99},
        "parts": [
            {"name": "AUPRC of sick", "value": 0.78},
            {"name": "AUPRC of sick, trained on real", "value": 0.97},
        ],
    }
    found = verdict.weaknesses({"rows": 500, "scores": [rules, useful]})
    assert found == [
        "A model that learns from it finds the rarer label 'sick' worse: average precision 0.78, where real "
        "rows give 0.97.",
        "A rule that every real row keeps is broken: 'start <= stop' holds in 52.0 % of the synthetic rows. "
        "Schemas can state rules.",
    ]
    rules["parts"][0]["value"] = useful["parts"][1]["value"] = 0.985
    useful["parts"][0]["value"] = 0.9
    assert verdict.weaknesses({"rows": 500, "scores": [rules, useful]}) == []


def test_what_has_no_upper_end_is_not_drawn_at_its_best():
    """Of k-anonymity 1 is the worst there is."""
    score = {"name": "k_anonymity", "value": 1.0, "direction": "higher", "range": {"low": 1}}
    low, high = charts._axis_of([score])
    assert low == 1
    assert high >= 2


def test_the_json_has_a_line_for_each_part_and_says_what_the_document_says():
    parts = [{"name": f"a[{i}] {{\n}} x b", "value": i / 10, "n": 5} for i in range(3)]
    parts += [{"name": "c x d", "value": 0.5, "n": 5}]
    document = {
        "sections": [{"name": "s", "scores": [{"name": "column_pairs", "value": 0.5, "parts": parts}]}]
    }
    text = reporting.document_json(document)
    assert json.loads(text)["sections"] == document["sections"]
    assert '    {"name": "c x d", "value": 0.5, "n": 5}\n' in text
    assert sum('"name"' in line and '"n": 5}' in line for line in text.splitlines()) == len(parts)
