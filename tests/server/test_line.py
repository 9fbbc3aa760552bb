"""The order in which jobs are begun, against a plain sorted list."""

from hypothesis import given
from hypothesis import strategies as st

from nodeflow.server.line import Line, Waiting


def job(number: int, priority: int = 0, position: float | None = None) -> Waiting:
    place = float(number) if position is None else position
    return Waiting(f"job{number}", "w", number, priority, place, "digest")


def ids(line: Line) -> list[str]:
    return [waiting.id for waiting in line.all()]


def test_higher_priority_comes_first_then_who_came_first():
    line = Line()
    for waiting in [job(1), job(2, priority=5), job(3), job(4, priority=5)]:
        line.add(waiting)
    assert ids(line) == ["job2", "job4", "job1", "job3"]
    first = line.next()
    assert first is not None
    assert first.id == "job2"
    assert len(line) == 3


def test_what_is_taken_is_gone_and_taking_it_again_gives_nothing():
    line = Line()
    line.add(job(1))
    assert line.take("job1") is not None
    assert line.take("job1") is None
    assert line.next() is None


def test_a_job_put_beside_another_stands_between_it_and_the_next():
    line = Line()
    for number in range(1, 5):
        line.add(job(number))
    third, first = line.find("job3"), line.find("job1")
    assert third is not None
    assert first is not None
    line.move("job4", 0, line.beside(third, before=True))
    assert ids(line) == ["job1", "job2", "job4", "job3"]
    line.move("job3", 0, line.beside(first, before=True))
    assert ids(line) == ["job3", "job1", "job2", "job4"]
    last = line.find("job4")
    assert last is not None
    line.move("job3", 0, line.beside(last, before=False))
    assert ids(line) == ["job1", "job2", "job4", "job3"]


steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "take", "before", "after", "priority"]),
        st.integers(0, 7),
        st.integers(0, 7),
    ),
    max_size=40,
)


@given(steps)
def test_any_moves_give_the_order_of_a_plain_list(moves: list[tuple[str, int, int]]):
    line, model = Line(), []  # the model: (priority, id) in order
    for number, (step, one, other) in enumerate(moves):
        name, beside = f"job{one}", line.find(f"job{other}")
        here = line.find(name)
        if step == "add" and here is None:
            # Behind everybody, as the journal counts positions.
            end = max((waiting.position for waiting in line.all()), default=0.0)
            line.add(Waiting(name, "w", number, 0, end + 1, "digest"))
            model.append((0, name))
        elif step == "take" and here is not None:
            line.take(name)
            model = [entry for entry in model if entry[1] != name]
        elif step in ("before", "after") and here and beside and here is not beside:
            line.move(name, beside.priority, line.beside(beside, before=step == "before"))
            model = [entry for entry in model if entry[1] != name]
            index = next(i for i, entry in enumerate(model) if entry[1] == beside.id)
            model.insert(index + (step == "after"), (beside.priority, name))
        elif step == "priority" and here is not None:
            continue
        model.sort(key=lambda entry: -entry[0])  # stable
    assert ids(line) == [name for _, name in model]
