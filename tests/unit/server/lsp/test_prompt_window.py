"""Windows within a time budget: what answers, what is read when there is time."""

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.completion.fim import WindowLimits
from midline.model.runtime.decoder import CACHE_TOKENS, KEPT_BYTES
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.documents import Document
from midline.server.lsp.prompt_window import (
    LEAST_TOKENS,
    Plan,
    ReadingSpeed,
    WindowPlanner,
    within,
)
from midline.server.lsp.session import Session
from midline.server.lsp.settings import Settings

LINE = "value = self.items[1234]\n"
LINES = 400


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("windows") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


class Desk:
    """A session with one document, an engine of known speed that remembers what it read."""

    def __init__(self, tokenizer: Tokenizer, speed: float, **settings: int) -> None:
        self.session = Session(settings=Settings(prefix_tokens=1000, suffix_tokens=240, **settings))
        self.engine = FakeEngine(tokenizer, lambda prompt: "1")
        self.planner = WindowPlanner()
        self.speed = speed
        self.text = "".join(f"value = self.items[{n}]\n" for n in range(1000, 1000 + LINES))
        self.session.open(Document("untitled:a", self.text))

    def plan(self, line: int, typed: str = "") -> Plan:
        """What a request on a line of its own would read; it is read."""
        at = line * len(LINE)
        document = Document("untitled:a", f"{self.text[:at]}{typed}\n{self.text[at:]}")
        snapshot = self.session.snapshot(document, at + len(typed))
        self.planner.speed.tokens_per_second = self.speed
        plan = self.planner.plan(self.engine, snapshot)
        self.cost = len(plan.window.prompt.ids) - self.engine.cached_tokens(plan.window.prompt.ids)
        self.engine.prefill(plan.window.prompt.ids)
        return plan

    def read_ahead(self, plan: Plan) -> bool:
        return self.planner.read_ahead(self.engine, plan.wanted, lambda: False)


def test_a_fast_machine_reads_all_at_once(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 100_000)
    plan = desk.plan(200)
    assert plan.is_whole
    assert 1000 < desk.cost <= 1000 + 240 + 6


def test_a_long_answer_in_a_small_context_leaves_room_for_the_file(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 100_000, max_tokens=1024)
    desk.engine.context_length = 512
    desk.plan(200)
    assert 100 < desk.cost <= 256


@pytest.mark.parametrize("speed", [60, 200, 600, 1000])
def test_the_first_answer_reads_what_there_is_time_for(tokenizer: Tokenizer, speed: int) -> None:
    desk = Desk(tokenizer, speed, first_answer_milliseconds=1500)
    plan = desk.plan(200)
    assert not plan.is_whole
    assert desk.cost <= max(0.6 * speed, LEAST_TOKENS) + 6
    assert desk.cost >= max(0.4 * speed, 100)


def test_before_anything_is_measured_the_first_answer_is_careful(tokenizer: Tokenizer) -> None:
    planner, engine = WindowPlanner(), FakeEngine(tokenizer, lambda prompt: "1")
    session, text, at = Session(), LINE * LINES, 200 * len(LINE)
    assert not planner.plan(engine, session.snapshot(Document("untitled:a", text), at)).is_whole
    planner.measure(engine)  # which takes no time
    assert planner.speed.tokens_per_second > 1000
    planner.speed.tokens_per_second *= 100  # whatever else goes on here
    assert planner.plan(engine, session.snapshot(Document("untitled:b", text), at)).is_whole


def test_typing_recomputes_next_to_nothing(tokenizer: Tokenizer) -> None:
    """While the wanted window is not read, the smaller one goes on; then the wanted one does."""
    desk = Desk(tokenizer, 200)
    plan = desk.plan(200, "v")
    for end in range(2, 9):
        plan = desk.plan(200, "value = s"[:end])
        assert desk.cost <= 3
        assert not plan.is_whole
    desk.read_ahead(plan)
    for end in range(8, 9):
        plan = desk.plan(200, "value = s"[:end])
        assert desk.cost <= 3
        assert plan.is_whole


def test_a_wanted_window_read_in_part_does_not_slow_typing(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 200)
    plan = desk.plan(200, "v")
    desk.engine.prefill(plan.wanted.prompt.ids[:-30])
    assert not desk.plan(200, "va").is_whole
    assert desk.cost <= 3


def test_a_new_line_costs_next_to_nothing(tokenizer: Tokenizer) -> None:
    """Its indentation is read, and nothing of the suffix; a later anchor is prepared meanwhile."""
    desk = Desk(tokenizer, 2000)
    desk.read_ahead(desk.plan(200))
    text, at = desk.text, 200 * len(LINE)
    for lines in range(1, 30):
        desk.text = text[:at] + LINE * lines + text[at:]
        plan = desk.plan(200 + lines)
        assert desk.cost <= len(desk.engine.tokenizer.encode(LINE)) + 3
        assert len(plan.window.prompt.ids) > 1000
        desk.read_ahead(plan)
        assert desk.plan(200 + lines, "v").is_whole


def test_without_time_to_read_ahead_the_anchor_stays(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 500)
    desk.read_ahead(desk.plan(200))
    text, at = desk.text, 200 * len(LINE)
    for lines in range(1, 24):
        desk.text = text[:at] + LINE * lines + text[at:]
        desk.plan(200 + lines)
        assert desk.cost <= len(desk.engine.tokenizer.encode(LINE)) + 3


def test_the_start_of_the_window_moves_when_there_is_time(tokenizer: Tokenizer) -> None:
    """Line after line, no key waits for a whole prefix, and none reads less than there was."""
    desk = Desk(tokenizer, 500)
    desk.read_ahead(desk.plan(212))
    text, at = desk.text, 212 * len(LINE)
    starts = set()
    for lines in range(1, 60):
        desk.text = text[:at] + LINE * lines + text[at:]
        plan = desk.plan(212 + lines)
        assert desk.cost <= 20
        assert len(plan.window.prompt.ids) > 600
        starts.add(plan.window.prompt.start_line)
        desk.read_ahead(plan)
    assert len(starts) >= 2


@pytest.mark.parametrize("tokens", [0, 100, 128, 300, 900, 1100, 1300, 5000])
def test_a_smaller_window_keeps_what_is_worth_most(tokens: int) -> None:
    limits = within(WindowLimits(), tokens)
    assert limits.prefix_tokens >= min(1024, max(LEAST_TOKENS, tokens * 7 // 8))
    assert limits.prefix_tokens + limits.suffix_tokens + limits.context_tokens <= max(
        tokens, LEAST_TOKENS
    )
    assert limits.context_tokens == 0 or limits.suffix_tokens == 256


def test_jumping_keeps_to_the_budget_of_a_new_place(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 500)
    desk.read_ahead(desk.plan(100))
    desk.plan(300)
    assert 100 < desk.cost <= 0.6 * 500 + 6


def test_chunks_of_other_documents_take_too_long_on_a_slow_machine(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 300, context_tokens=1024)
    desk.session.open(Document("untitled:b", "def items(self):\n    return self.items[0]\n" * 8))
    plan = desk.plan(200)
    assert plan.wanted.cursor.context == ()
    assert plan.wanted.limits.prefix_tokens == 1000 and plan.wanted.limits.suffix_tokens == 240


def test_chunks_of_other_documents_come_in_when_there_is_time(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 700, context_tokens=300)
    desk.session.open(Document("untitled:b", "def items(self):\n    return self.items[0]\n" * 8))
    plan = desk.plan(200)
    assert plan.window.cursor.context == ()
    assert [chunk.name for chunk in plan.wanted.cursor.context] == ["untitled"]
    desk.read_ahead(plan)
    whole = desk.plan(200, "v")
    assert whole.is_whole
    assert desk.cost <= 3
    assert whole.window.cursor.context == plan.wanted.cursor.context
    changed = "def items(self):\n    return self.items[1]\n" * 8
    desk.session.edit(Document("untitled:b", changed))
    stale = desk.plan(200, "va")
    assert desk.cost <= 3
    assert stale.window.cursor.context == plan.wanted.cursor.context
    assert stale.wanted.cursor.context[0].text == changed


def test_reading_ahead_ends_between_two_steps_and_keeps_them(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 400)
    wanted = desk.plan(200).wanted
    asked = iter(range(10_000))
    known = desk.engine.cached_tokens(wanted.prompt.ids)
    for steps in (0, 1, 3):
        stop_at = next(asked) + 1 + steps
        assert not desk.planner.read_ahead(
            desk.engine, wanted, lambda stop_at=stop_at: next(asked) >= stop_at
        )
        grown = desk.engine.cached_tokens(wanted.prompt.ids) - known
        assert (grown > 0) is (steps > 0)
        assert grown <= steps * 64 + 1
        known += grown


def test_reading_ahead_goes_in_steps_and_ends(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 400)
    plan = desk.plan(200)
    read_before = desk.engine.reads
    assert desk.read_ahead(plan)
    assert desk.plan(200, "v").is_whole
    assert desk.engine.reads - read_before >= len(plan.wanted.prompt.ids) // 64 - 1


def test_speed_is_learned_from_what_was_read() -> None:
    speed = ReadingSpeed()
    speed.learn(3, 1.0)
    assert speed.tokens_per_second == ReadingSpeed.START
    speed.learn(600, 1.0)
    assert speed.tokens_per_second == 600
    speed.learn(200, 1.0)
    assert speed.tokens_per_second == 400
    speed.learn(100, 0.0)
    assert speed.tokens_per_second == 400


def test_reads_that_are_broken_off_teach_the_true_speed(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a single measurement believed that differs much from all others."""
    speed = ReadingSpeed()
    speed.learn(600, 1.0)
    speed.learn(3_000_000, 1.0)
    assert speed.tokens_per_second <= 600 * 2.5
    desk, clock, true_speed = Desk(tokenizer, 400), [0.0], 1000.0
    wanted, prefill = desk.plan(200).wanted, desk.engine.prefill

    def timed(ids: tuple[int, ...]) -> None:
        clock[0] += (len(ids) - desk.engine.cached_tokens(ids)) / true_speed
        prefill(ids)

    monkeypatch.setattr(desk.engine, "prefill", timed)
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    desk.planner.speed = ReadingSpeed()
    desk.planner.speed.learn(96, 96 / 300)
    for _ in range(1000):
        desk.engine.known.clear()
        countdown = iter((False, True))
        desk.planner.read_ahead(desk.engine, wanted, lambda left=countdown: next(left))
    assert desk.planner.speed.tokens_per_second == pytest.approx(true_speed, rel=0.2)


def test_many_documents_are_not_remembered_for_ever(tokenizer: Tokenizer) -> None:
    planner, engine = WindowPlanner(), FakeEngine(tokenizer, lambda prompt: "1")
    session = Session()
    for number in range(200):
        planner.plan(engine, session.snapshot(Document(f"untitled:{number}", "x = 1\n"), 4))
    assert len(planner._documents) < 100


def test_a_speed_that_varies_a_little_moves_no_window(tokenizer: Tokenizer) -> None:
    """The machine is so slow that the speed decides how much is wanted."""
    desk = Desk(tokenizer, 100)
    wanted = desk.plan(200, "v").wanted
    for speed, same in ((90.0, True), (120.0, True), (300.0, False)):
        desk.speed = speed
        again = desk.plan(200, "va").wanted
        assert (again.limits == wanted.limits) is same
        if same:
            assert again.anchor == wanted.anchor


def test_what_is_read_ahead_is_counted(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 200)
    plan = desk.plan(200, "v")
    known = desk.engine.cached_tokens(plan.wanted.prompt.ids)
    assert desk.read_ahead(plan)
    assert desk.planner.tokens_read == len(plan.wanted.prompt.ids) - 1 - known > 500
    assert desk.read_ahead(plan)
    assert desk.planner.tokens_read == len(plan.wanted.prompt.ids) - 1 - known


def test_the_whole_windows_of_three_documents_stay_in_the_default_models_cache() -> None:
    """What is kept is less than the cache, whose size is that of the longest text."""
    limits = WindowLimits(start_line=0)
    window = limits.most_prefix_tokens + limits.suffix_tokens + limits.context_tokens
    tokens = window + limits.fragment_bytes + Settings().max_tokens
    bytes_per_token = 2 * 2 * 24 * 2 * 64  # keys and values, f16, layers, heads of 64: the 0.5B
    assert 3 * tokens <= KEPT_BYTES // bytes_per_token < CACHE_TOKENS
