"""The action plan: what ships, loading it whole or not at all, by table, command and API, with its history."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from config.action_plan import SHIPPED, load_plan
from core.errors import ConfigError, Conflict, InputError
from core.plan import Activity, Area, Goal, Indicator, ReportKind, StrategicGoal
from core.registry import Organisation
from services.indicator_methods import METHODS
from services.plan import load, load_first, tree
from services.register import By
from storage.records import SqlRecordStore
from tests.unit.api_fakes import NOW, MemoryRecords
from tests.unit.api_world import World, build_world

ACT = By(by="eva", now=NOW, why="test")
PLAN = load_plan()
HOSPITALS = {
    "id": "ZD-I1",
    "area": "ZD",
    "name": "Nemocnice se sdílenou dokumentací",
    "figures": [{"key": "count", "name": "počet", "unit": "", "decimals": 0}],
    "goals": ["1.2"],
}


def of(kind: type) -> dict[str, object]:
    return {e.id: e for e in PLAN if isinstance(e, kind)}


# What ships


def test_all_areas_of_the_plan_ship_with_their_activities() -> None:
    areas, activities = of(Area), of(Activity)
    assert len(areas) == 8
    assert [a.id for a in areas.values() if not any(x.area == a.id for x in activities.values())] == ["DO"]  # type: ignore[attr-defined]
    assert set(of(Goal)) == {"1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "3.1", "3.2", "3.3", "3.4", "3.6"}
    named = {key for area in areas.values() for key in area.goals}  # type: ignore[attr-defined]
    assert named == set(of(Goal))
    energy = areas["EM"]
    assert isinstance(energy, Area)
    assert (energy.name, energy.goals, energy.strategic) == (
        "Energetický management a hospodaření s vodou",
        ("2.1", "2.2"),
        (StrategicGoal.SAVE,),
    )
    assert [a.name for a in activities.values() if a.area == "EM"] == [  # type: ignore[attr-defined]
        "Budování soběstačnosti a odolnosti kraje",
        "Zavádění systematického energetického managementu",
        "Posílení odbornosti kraje",
    ]


def test_names_stand_in_the_plan_itself() -> None:
    seed = Path(__file__).parents[3] / "shared" / "seed" / "akcni-plan-II.txt"
    if not seed.exists():
        pytest.skip("the plan's text is not here")
    text = " ".join(seed.read_text("utf-8").split())
    named = [e.name for e in PLAN if isinstance(e, Goal | Area | Activity)]
    assert [name for name in named if name not in text] == []


def test_the_shipped_indicators_name_every_method_and_no_target_is_made_up() -> None:
    indicators = of(Indicator)
    assert set(indicators) == {
        *(f"E{n}" for n in range(1, 8)), *(f"W{n}" for n in range(1, 5)), "S1", "S2", "S3", "R1",
        *(f"G{n}" for n in range(1, 7)), "P1", "P2",
    }  # fmt: skip
    assert {i.method for i in indicators.values()} - {""} == set(METHODS)  # type: ignore[attr-defined]
    aims = {(i.id, t.year): t.value for i in indicators.values() for t in i.targets}  # type: ignore[attr-defined]
    assert aims == {("E4", year): pytest.approx(-1.9 * (year - 2021)) for year in (2024, 2025, 2026)}
    assert all(ReportKind.ANNUAL in i.reports for i in indicators.values())  # type: ignore[attr-defined]


def test_the_documentation_tells_every_method_with_its_figures_and_along_what_it_adds_up() -> None:
    page = (Path(__file__).parents[2] / "docs" / "indicators.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| [^|]+ \| `(\w+)` \|(.*)\|$", page, re.MULTILINE))
    assert set(rows) == set(METHODS)
    for name, method in METHODS.items():
        figures, adds = rows[name].rsplit("|", 1)
        assert set(method.figures) <= set(re.findall(r"\w+", figures)), name
        assert adds.split() == [letter for letter, axis in (("b", "buildings"), ("m", "months")) if axis in method.adds]
        assert method.version == 1
        assert any(f"`{name}`" in line for line in page.splitlines() if line.startswith("### ")) or name.startswith(
            ("water_by", "emissions_by", "replaced", "water_saved")
        )


# Loading


def test_a_plan_is_loaded_whole_and_again_without_a_change() -> None:
    records = MemoryRecords()
    assert len(load(records, PLAN, ACT).saved) == len(PLAN)
    assert load(records, PLAN, ACT).saved == ()
    found = tree(records)
    assert [branch.area.id for branch in found.areas] == sorted(of(Area))
    energy = next(b for b in found.areas if b.area.id == "EM")
    assert (len(energy.activities), len(energy.indicators)) == (3, len(of(Indicator)))


def test_a_store_with_a_plan_keeps_its_own() -> None:
    records = MemoryRecords()
    load_first(records, PLAN, ACT)
    mine = replace(of(Area)["EM"], guarantor="Odbor investic")  # type: ignore[type-var]
    load(records, [mine], ACT)  # type: ignore[list-item]
    records.remove(Indicator, ["P2"], by="eva", now=NOW)
    assert load_first(records, PLAN, ACT).saved == ()
    assert records.get(Area, "EM") == mine
    assert "P2" not in {i.id for i in records.find(Indicator)}


def test_what_is_not_of_a_plan_or_cannot_be_computed_is_refused_whole() -> None:
    records = MemoryRecords()
    with pytest.raises(InputError, match="O1 is not of the action plan"):
        load(records, [*PLAN, Organisation(id="O1", name="x")], ACT)
    wrong = replace(of(Indicator)["E1"], method="wish")  # type: ignore[type-var]
    with pytest.raises(InputError, match="method 'wish'"):
        load(records, [*PLAN, wrong], ACT)  # type: ignore[list-item]
    with pytest.raises(Conflict, match="area XX is not in the register"):
        load(records, [Activity(id="a", area="XX", name="x")], ACT)
    assert tree(records).empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[goal]]\nid = "1"\nname = "x"\nstrategic = "slower"', r"goal\.1\.strategic: 'slower'"),
        ('[[goal]]\nid = "1 1"\nname = "x"\nstrategic = "save"', r"goal\.1: goal id '1 1' cannot be used"),
        ('[[goal]]\nid = "1"\nname = "x"\nstrategic = "save"\ncolour = 1', r"goal\.1\.colour: there is no such key"),
        ('[[area]]\nid = "A"\nname = "x"', r"area\.1\.priority_area: is missing"),
        ('[[goal]]\nid = "1"\nname = "x"\nstrategic = "save"\n' * 2, "goal '1' stands there twice"),
        (
            '[[indicator]]\nid = "I"\narea = "A"\nname = "x"\nfigures = []',
            r"indicator\.1: indicator I needs figures",
        ),
        ("[[goal", "write it as TOML"),
    ],
)
def test_a_wrong_table_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=said):
        load_plan(file)


# The command


def run(folder: Path, *words: str) -> tuple[int, str]:
    config = folder / "odecet.toml"
    config.write_text(f'[data]\nfolder = "{folder}"\n', "utf-8")
    done = CliRunner().invoke(main, ["plan", *words, "--config", str(config)])
    return done.exit_code, done.output


def test_the_command_loads_and_shows(tmp_path: Path) -> None:
    assert "there is no plan yet" in run(tmp_path, "show")[1]
    assert run(tmp_path, "load", str(SHIPPED), "--by", "eva")[0] == 0
    code, shown = run(tmp_path, "show")
    assert code == 0
    assert "EM  Energetický management a hospodaření s vodou (Životní prostředí; 2.1, 2.2)" in shown
    assert "P2  Proškolené osoby [-] by hand" in shown
    files = list(tmp_path.glob("*.sqlite"))
    store = SqlRecordStore(f"sqlite:///{files[0]}")
    store.start()
    assert {entry.by for entry in store.audit(entity="indicator")} == {"eva"}
    store.close()
    assert run(tmp_path, "load", str(tmp_path / "none.toml"))[0] == 2


# The API


@pytest.fixture(scope="module")
def world() -> World:
    made = build_world()
    load(made.records, PLAN, ACT)
    return made


def test_the_tree_is_told_and_stays_the_same(world: World) -> None:
    answer = world.client().get("/api/v1/plan")
    areas = {branch["area"]["id"]: branch for branch in answer.json()["areas"]}
    assert len(areas["EM"]["indicators"]) == len(of(Indicator))
    assert areas["KB"]["activities"][0]["activity"]["name"] == "Elektronická komunikace v rámci úřadu"
    assert answer.headers["ETag"] == world.client().get("/api/v1/plan").headers["ETag"]


def test_an_indicator_of_another_area_is_added_changed_and_its_history_kept(world: World) -> None:
    client = world.client()
    made = client.post("/api/v1/plan/indicators?why=fiše", json=HOSPITALS)
    assert made.status_code == 201
    assert made.headers["Location"] == "/api/v1/plan/indicators/ZD-I1"
    target = {"targets": [{"figure": "count", "year": 2026, "value": 6}]}
    tag = made.headers["ETag"]
    changed = client.patch("/api/v1/plan/indicators/ZD-I1", json=target, headers={"If-Match": tag})
    assert changed.json()["targets"][0]["value"] == 6
    assert client.patch("/api/v1/plan/indicators/ZD-I1", json=target, headers={"If-Match": tag}).status_code == 412
    history = client.get("/api/v1/plan/history?kind=indicator&key=ZD-I1").json()["items"]
    assert [entry["after"]["targets"] for entry in history] == [changed.json()["targets"], []]
    assert history[-1]["why"] == "fiše"
    assert client.delete("/api/v1/plan/indicators/ZD-I1").status_code == 204
    assert client.get("/api/v1/plan/indicators/ZD-I1").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**HOSPITALS, "method": "wish"}, 422),
        ({**HOSPITALS, "area": "XX"}, 409),
        ({**HOSPITALS, "figures": []}, 422),
        ({**HOSPITALS, "colour": "red"}, 422),
        ({**HOSPITALS, "id": "E1"}, 409),
        ({**HOSPITALS, "targets": [{"figure": "none", "year": 2026, "value": 1}]}, 422),
    ],
)
def test_an_indicator_that_cannot_be_is_refused(world: World, body: dict[str, object], status: int) -> None:
    assert world.client().post("/api/v1/plan/indicators", json=body).status_code == status


def test_parts_of_a_plan_are_put_together_or_not_at_all(world: World) -> None:
    client = world.client()
    goal = {"id": "3.5", "name": "Nový cíl", "strategic": "better"}
    body = {
        "goals": [goal],
        "areas": [{"id": "N", "name": "Nová", "priority_area": "Veřejná správa", "goals": ["3.5"]}],
    }
    assert client.put("/api/v1/plan", json=body).json() == {"given": 2, "changed": 2}
    assert client.put("/api/v1/plan", json=body).json() == {"given": 2, "changed": 0}
    wrong = {**body, "activities": [{"id": "a", "area": "XX", "name": "x"}], "goals": [{**goal, "name": "Jiný"}]}
    assert client.put("/api/v1/plan", json=wrong).status_code == 409
    assert client.get("/api/v1/plan/goals/3.5").json()["name"] == "Nový cíl"
    assert client.put("/api/v1/plan", json={"goal": []}).status_code == 422


def test_an_area_that_has_activities_is_not_deleted(world: World) -> None:
    assert world.client().delete("/api/v1/plan/areas/EM").status_code == 409


# Values


def test_values_are_told_by_period_with_all_they_rest_on(world: World) -> None:
    client = world.client()
    answer = client.get("/api/v1/indicators/E1/values?from=2025&to=2026&period=quarter&parts=true")
    values = answer.json()["values"]
    assert [v["from"] for v in values] == ["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01"]
    year = client.get("/api/v1/indicators/E1/values?from=2025").json()["values"][0]
    assert year["amounts"][0]["value"] == pytest.approx(sum(v["amounts"][0]["value"] for v in values))
    assert year["amounts"][0]["value"] == pytest.approx((8760 * 2 + 8759 * 10) / 1000)
    assert (year["status"], year["method"], year["register"]) == ("final", "final_consumption", world.records.version())
    assert {p["key"] for p in values[0]["parts"] if p["kind"] == "building"} == {"B01", "B02"}
    one = client.get("/api/v1/indicators/E1/values?from=2025&scope=building:B01").json()["values"][0]
    assert one["amounts"][0]["value"] == pytest.approx(8760 * 2 / 1000)


def test_values_have_a_tag_that_the_clock_does_not_change_and_a_table(world: World) -> None:
    client = world.client()
    tags = {client.get("/api/v1/indicators/E1/values?from=2025").headers["ETag"] for _ in range(2)}
    assert len(tags) == 1
    lines = client.get("/api/v1/indicators/E1/values?from=2025&format=csv").text.splitlines()
    assert lines[0].startswith("indicator,name,scope,from,to,figure,unit,value")
    assert len(lines) == 1 + 6
    czech = client.get("/api/v1/indicators/E1/values?from=2025&format=csv&lang=cs").text
    assert ";105,11;" in czech


def test_what_cannot_be_determined_is_null_with_a_czech_reason(world: World) -> None:
    value = world.client().get("/api/v1/indicators/E6/values?from=2025").json()["values"][0]
    assert (value["status"], value["status_text"], value["amounts"][0]["value"]) == (
        "cannot_be_determined", "nelze stanovit", None,
    )  # fmt: skip
    assert value["reasons"][0]["text"] == "v evidenci není rezervovaná kapacita"


def test_why_it_changed_is_told(world: World) -> None:
    found = world.client().get("/api/v1/indicators/E1/change?from=2025&compare=2024/2025").json()
    assert found["change"] == pytest.approx((8759 * 10 - 24 * 2) / 1000)
    causes = {c["key"]: c["value"] for c in found["causes"]}
    assert causes["coverage"] == pytest.approx(8759 * 10 / 1000)
    assert causes["use"] == pytest.approx(-24 * 2 / 1000)
    assert sum(c["value"] for c in found["causes"]) == pytest.approx(found["change"])
    assert {c["name"] for c in found["causes"]} >= {"počasí", "užívání budov"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/indicators/XX/values", 404),
        ("/api/v1/indicators/E1/values?scope=building:XX", 404),
        ("/api/v1/indicators/E1/values?scope=town", 422),
        ("/api/v1/indicators/E1/values?scope=region:A", 422),
        ("/api/v1/indicators/E1/values?from=2025-02-30&to=2025-03-02", 422),
        ("/api/v1/indicators/E1/values?from=2025-03-02&to=2025-03-02", 422),
        ("/api/v1/indicators/E1/values?from=2025&period=day", 422),
        ("/api/v1/indicators/E1/values?from=1995&to=2030&period=month", 422),
        ("/api/v1/plan/history?kind=point", 422),
    ],
)
def test_questions_that_cannot_be_right_are_refused(world: World, path: str, status: int) -> None:
    assert world.client().get(path).status_code == status


def test_methods_and_indicators_are_listed(world: World) -> None:
    client = world.client()
    assert {m["name"] for m in client.get("/api/v1/indicator-methods").json()["items"]} == set(METHODS)
    assert client.get("/api/v1/indicators?area=KB").json()["total"] == 0
    assert client.get("/api/v1/indicators").json()["total"] == len(of(Indicator))
    assert date(2025, 1, 1) < NOW.date()
