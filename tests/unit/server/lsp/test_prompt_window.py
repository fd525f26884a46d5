"""Windows within a time budget: what answers, what is read when there is time."""

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.kernels import CancelFlag
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.documents import Document
from midline.server.lsp.prompt_window import START_TOKENS_PER_SECOND, Plan, WindowPlanner
from midline.server.lsp.session import Session
from midline.server.lsp.settings import Settings

LINE = "value = self.items[0]\n"
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
        self.text = LINE * LINES
        self.session.open(Document("untitled:a", self.text))

    def plan(self, line: int, typed: str = "") -> Plan:
        """What a request on a line of its own would read; it is read."""
        at = line * len(LINE)
        document = Document("untitled:a", f"{self.text[:at]}{typed}\n{self.text[at:]}")
        snapshot = self.session.snapshot(document, at + len(typed))
        self.planner.tokens_per_second = self.speed
        plan = self.planner.plan(self.engine, snapshot)
        self.cost = len(plan.window.prompt.ids) - self.engine.cached_tokens(plan.window.prompt.ids)
        self.engine.prefill(plan.window.prompt.ids)
        return plan

    def read_ahead(self, plan: Plan) -> None:
        self.planner.read_ahead(self.engine, plan, CancelFlag())


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
    smallest = 1000 // 8 + 240 // 8 + 6
    assert desk.cost <= max(0.9 * speed, smallest)
    assert desk.cost >= min(0.25 * speed, 100)


def test_before_anything_is_measured_the_first_answer_is_careful(tokenizer: Tokenizer) -> None:
    planner, engine = WindowPlanner(), FakeEngine(tokenizer, lambda prompt: "1")
    session, text, at = Session(), LINE * LINES, 200 * len(LINE)
    assert not planner.plan(engine, session.snapshot(Document("untitled:a", text), at)).is_whole
    planner.measure(engine)  # which takes no time
    assert planner.tokens_per_second > 1000
    planner.tokens_per_second *= 100  # whatever else goes on here
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


def test_a_new_line_costs_the_suffix_or_a_part_of_it(tokenizer: Tokenizer) -> None:
    for speed, most in ((2000, 240 + 20), (500, 120 + 20), (250, 60 + 20)):
        desk = Desk(tokenizer, speed)
        desk.read_ahead(desk.plan(200))
        assert desk.plan(200).is_whole
        plan = desk.plan(201)
        assert desk.cost <= most
        assert desk.cost > most // 2
        assert plan.is_whole is (speed == 2000)


def test_the_start_of_the_window_moves_when_there_is_time(tokenizer: Tokenizer) -> None:
    """Line after line, no key waits for a whole prefix, and none reads less than there was."""
    desk = Desk(tokenizer, 500)
    desk.read_ahead(desk.plan(212))
    starts = set()
    for line in range(212, 244):
        plan = desk.plan(line)
        assert desk.cost <= 0.3 * 500
        assert len(plan.window.prompt.ids) > 600
        starts.add(plan.window.prompt.start_line)
        desk.read_ahead(plan)
    assert len(starts) == 2


def test_jumping_keeps_to_the_budget_of_a_new_place(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 500)
    desk.read_ahead(desk.plan(100))
    desk.plan(300)
    assert 100 < desk.cost <= 0.9 * 500


def test_chunks_of_other_documents_come_in_when_there_is_time(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 300, context_tokens=300)
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


def test_reading_ahead_stops_when_it_is_told(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 200)
    plan = desk.plan(200)
    before = desk.engine.cached_tokens(plan.wanted.prompt.ids)
    cancel = CancelFlag()
    cancel.set()
    desk.planner.read_ahead(desk.engine, plan, cancel)
    assert desk.engine.cached_tokens(plan.wanted.prompt.ids) == before


def test_reading_ahead_goes_in_pieces_and_ends(tokenizer: Tokenizer) -> None:
    desk = Desk(tokenizer, 200)
    plan = desk.plan(200)
    read_before = desk.engine.reads
    desk.read_ahead(plan)
    assert desk.engine.known[-1] == plan.wanted.prompt.ids
    assert desk.engine.reads - read_before >= len(plan.wanted.prompt.ids) // 128 - 1


def test_speed_is_learned_from_prompts_that_tell(tokenizer: Tokenizer) -> None:
    planner = WindowPlanner()
    planner.learn(3, 1.0)
    assert planner.tokens_per_second == START_TOKENS_PER_SECOND
    planner.learn(600, 1.0)
    assert planner.tokens_per_second == 600
    planner.learn(200, 1.0)
    assert planner.tokens_per_second == 400
    planner.learn(100, 0.0)
    assert planner.tokens_per_second == 400


def test_many_documents_are_not_remembered_for_ever(tokenizer: Tokenizer) -> None:
    planner, engine = WindowPlanner(), FakeEngine(tokenizer, lambda prompt: "1")
    session = Session()
    for number in range(200):
        planner.plan(engine, session.snapshot(Document(f"untitled:{number}", "x = 1\n"), 4))
    assert len(planner._last) < 100
