"""Versions of a page: kept, compared, taken back, never half there, found out when somebody changed them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.shops import binary, unit_level
from workbench import Project, WorkbenchError, storage
from workbench.cli import main
from workbench.errors import ProjectError
from workbench.locale import Texts
from workbench.publish import bundle, seal
from workbench.publish.handout import Handouts
from workbench.publish.versions import moved, versions

T = Texts("en")


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return unit_level(
        tmp_path / "shop", {"A": binary(120, 1000), "B": binary(150, 1000)}, assignment="random"
    )


@pytest.fixture
def published(shop: Project) -> Path:
    """A page with two versions."""
    shop.publish([shop.effect("home")], "Home")
    shop.publish([shop.effect("home", level=0.9)], "Home")
    return shop.path / "published"


@pytest.mark.requirement("U05")
def test_publishing_again_keeps_the_former_version(shop: Project, published: Path) -> None:
    assert bundle.numbers(published / "home") == [1, 2]
    first, second = versions(shop, "home")[::-1]
    assert (first.current, second.current) == (False, True)
    assert first.problem is None
    assert second.problem is None
    assert second.page is not None
    assert second.page.previous == first.hash
    assert second.by == first.by is not None
    assert "python" in second.page.made_with
    (page,) = bundle.pages(published)
    assert page.version == 2


def test_going_back_shows_the_former_version_and_forgets_none(shop: Project, published: Path) -> None:
    bundle.roll_back(shop, "home", 1)
    assert bundle.read(published, "home")[0].version == 1
    assert bundle.numbers(published / "home") == [1, 2]
    shop.publish([shop.effect("home", level=0.8)], "Home")
    assert bundle.read(published, "home")[0].version == 3
    with pytest.raises(ProjectError, match="no published page"):
        bundle.roll_back(shop, "home", 9)


def test_what_is_taken_down_is_kept_until_it_is_deleted_for_good(shop: Project, published: Path) -> None:
    bundle.unpublish(shop, "home")
    assert bundle.taken_down(published) == ["home"]
    with pytest.raises(ProjectError, match="no published page"):
        bundle.read(published, "home")
    bundle.roll_back(shop, "home", 2)
    assert bundle.read(published, "home")[0].version == 2
    bundle.unpublish(shop, "home", for_good=True)
    assert list(published.iterdir()) == []


def test_what_moved_is_said_in_words(shop: Project, published: Path) -> None:
    said = moved(shop, "home", 1, 2, T)
    assert any("“Difference per customer” was +3.0 points" in line and "90 %" in line for line in said)
    assert moved(shop, "home", 1, 1, T) == ["The headline numbers are the same."]


TAMPERING: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a record is changed": (
        lambda folder: rewrite(record_of(folder), '"probability_better":', '"probability_better":0.5,"x":'),
        "was changed",
    ),
    "a record is missing": (lambda folder: record_of(folder).unlink(), "is missing"),
    "the page is changed": (lambda folder: rewrite(folder / "index.html", "15.0", "51.0"), "was changed"),
    "a file is added": (lambda folder: (folder / "more.html").write_text("x"), "does not belong to it"),
    "a hidden file is added": (lambda folder: (folder / ".x").write_text("x"), "does not belong to it"),
    "a link is added": (lambda folder: (folder / "a.csv").symlink_to("/etc/passwd"), "does not belong to it"),
    "a link to the same is in a file's place": (
        lambda folder: link_away(folder / "index.html"),
        "was changed",
    ),
    "the manifest is changed": (
        lambda folder: rewrite(folder / "manifest.json", '"title": "Home"', '"title": "House"'),
        "was changed",
    ),
    "the manifest is missing": (lambda folder: (folder / "manifest.json").unlink(), "is missing"),
    "the manifest is no manifest": (
        lambda folder: (folder / "manifest.json").write_text("{}"),
        "was changed",
    ),
    "another version is put in its place": (
        lambda folder: (shutil.rmtree(folder), shutil.copytree(folder.parent / "1", folder)),
        "was changed",
    ),
}


@pytest.mark.requirement("G10")
@pytest.mark.parametrize("attack", TAMPERING)
def test_whoever_changes_a_version_is_found_out_without_any_key(published: Path, attack: str) -> None:
    change, said = TAMPERING[attack]
    change(published / "home" / "versions" / "2")
    with pytest.raises(seal.Tampered, match=said) as found:
        bundle.read(published, "home")
    assert "Its numbers are not shown" in str(found.value)
    assert bundle.read(published, "home", 1)[0].version == 1


def test_whoever_rewrites_record_and_manifest_is_found_out_with_the_key_only(
    shop: Project, published: Path
) -> None:
    forge(published / "home" / "versions" / "2")
    assert bundle.read(published, "home")[1]  # the folder alone cannot show it
    with pytest.raises(seal.Tampered, match="its seal was not made with the key"):
        bundle.read(published, "home", key=shop.people.key())
    newest = versions(shop, "home")[0]
    assert newest.problem is not None
    assert newest.by is None  # the log knows another hash


def test_a_forged_version_is_neither_shown_again_nor_compared(shop: Project, published: Path) -> None:
    forge(published / "home" / "versions" / "1")
    with pytest.raises(seal.Tampered, match="seal"):
        bundle.roll_back(shop, "home", 1)
    assert bundle.current(published, "home") == 2
    for before, after in ((1, 2), (2, 1)):
        with pytest.raises(seal.Tampered, match="seal"):
            moved(shop, "home", before, after, T)


def test_a_server_that_has_the_key_hands_out_no_forged_page(shop: Project, published: Path) -> None:
    assert Handouts(published, shop.people.key()).get("home", "index.html") is not None
    forge(published / "home" / "versions" / "2")
    assert Handouts(published).get("home", "index.html") is not None
    with pytest.raises(seal.Tampered, match="seal"):
        Handouts(published, shop.people.key()).get("home", "index.html")


def test_a_seal_that_was_taken_away_is_none(shop: Project, published: Path) -> None:
    (published / "home" / "versions" / "2" / "seal").unlink()
    with pytest.raises(seal.Tampered, match="seal"):
        bundle.read(published, "home", key=shop.people.key())


def test_whoever_rewrites_a_former_version_breaks_the_chain(
    shop: Project, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge(published / "home" / "versions" / "1")
    monkeypatch.setenv("WORKBENCH_KEYS", str(shop.path.parent / "elsewhere"))
    newest, former = versions(shop, "home")
    assert newest.problem is None
    assert former.problem is not None
    assert "version 2 was made after another one" in T(former.problem)


def test_the_hash_on_the_page_is_that_of_its_manifest(published: Path) -> None:
    folder = published / "home" / "versions" / "2"
    text = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert (folder / "index.html").read_text("utf-8").count(text) == 2  # once in each language


def test_a_full_disk_changes_nothing(shop: Project, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    record = shop.effect("home", level=0.8)
    before = contents(published)
    monkeypatch.setattr(storage, "_force_to_disk", full)
    with pytest.raises(ProjectError, match="The disk is full"):
        shop.publish([record], "Home")
    monkeypatch.undo()
    assert contents(published) == before
    assert bundle.read(published, "home")[0].version == 2


def in_another_process(action: Callable[[], Any]) -> int:
    """The id of a copy of this process that does something, and ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of others do not matter to it
        child = os.fork()
    if child:
        return child
    try:
        action()
    except BaseException:
        os._exit(1)
    os._exit(0)


def dies(after: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """`real`, until it has been called so many times; then the process is killed in the middle."""
    left = [after]

    def call(*arguments: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **more)

    return call


@pytest.mark.parametrize(("call", "after"), [("replace", 0), ("replace", 2), ("replace", 4), ("rename", 0)])
def test_a_publisher_that_is_killed_leaves_no_half_version(
    shop: Project, published: Path, call: str, after: int
) -> None:
    record = shop.effect("home", level=0.8)

    def killed() -> None:
        setattr(os, call, dies(after, getattr(os, call)))
        shop.publish([record], "Home")

    _, status = os.waitpid(in_another_process(killed), 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert bundle.read(published, "home")[0].version == 2
    for number in bundle.numbers(published / "home"):
        bundle.read(published, "home", number, shop.people.key())
    made = shop.publish([shop.effect("home", level=0.7)], "Home")
    assert bundle.read(published, "home")[0].version == made.version
    left = {one.name for one in (published / "home" / "versions").iterdir()}
    assert left == {str(number) for number in bundle.numbers(published / "home")}


def test_two_who_publish_at_once_both_have_their_version(shop: Project) -> None:
    record = shop.effect("home")
    children = [in_another_process(lambda: shop.publish([record], "Home")) for _ in range(2)]
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    assert bundle.numbers(shop.path / "published" / "home") == [1, 2]
    assert [one.problem for one in versions(shop, "home")] == [None, None]


def test_few_people_more_than_in_a_version_that_is_out_are_not_published(shop: Project) -> None:
    """Attack: the total of the second version less that of the first is that of three people."""
    shop.publish([shop.effect("home")], "Home")
    more = unit_level(
        shop.path.parent / "more", {"A": binary(120, 1000), "B": binary(153, 1003)}, assignment="random"
    )
    take_over(shop, more)
    with pytest.raises(WorkbenchError, match="came in or went since a version"):
        shop.publish([shop.effect("home")], "Home")
    bundle.unpublish(shop, "home", for_good=True)
    assert shop.publish([shop.effect("home")], "Home").version == 1


def test_two_results_of_people_who_are_the_same_but_for_a_few_do_not_share_a_page(shop: Project) -> None:
    """Attack: on one page, the total of 2,003 people less that of 2,000."""
    before = shop.effect("home")
    more = unit_level(
        shop.path.parent / "more", {"A": binary(120, 1000), "B": binary(153, 1003)}, assignment="random"
    )
    take_over(shop, more)
    with pytest.raises(WorkbenchError, match="publish one of them"):
        shop.publish([before, shop.effect("home")], "Both")
    assert shop.publish([before], "One").files


def test_a_group_that_grew_by_few_since_a_version_that_is_out_is_not_published(tmp_path: Path) -> None:
    """Attack: the second version's number for France less the first one's is that of three people."""

    def counted(folder: str, spain: int, france: int) -> Project:
        """People of each country in each arm, with the three newcomers of France in one of them."""
        known = {"A": (spain, 400), "B": (spain, france)}
        return unit_level(
            tmp_path / folder,
            {
                arm: binary(es // 8, es) + binary(fr // 8, fr) + binary(30, 300)
                for arm, (es, fr) in known.items()
            },
            assignment="random",
            attributes={
                "country": [
                    name
                    for es, fr in known.values()
                    for name, n in (("ES", es), ("FR", fr), ("MX", 300))
                    for _ in range(n)
                ]
            },
        )

    shop = counted("shop", 500, 400)
    first = shop.publish([shop.effect("home", by="country")], "Home")
    take_over(shop, counted("more", 560, 403))
    second = shop.publish([shop.effect("home", by="country")], "Home")
    seen = [
        {
            item.segment
            for item in bundle.read(shop.path / "published", "home", one.version)[1][0].summary.comparisons
        }
        for one in (first, second)
    ]
    assert {"ES", "FR", "MX"} <= seen[0]
    assert "FR" not in seen[1]
    assert "MX" in seen[1]


def take_over(shop: Project, more: Project) -> None:
    """Give a project the tables of another."""
    shop.commit(
        {name: more.engine.query(f"SELECT * FROM {name}") for name in ("customers", "exposures", "outcomes")}
    )


def test_the_smallest_group_is_a_setting(tmp_path: Path) -> None:
    countries = ["ES"] * 500 + ["FR"] * 470 + ["MX"] * 30
    shop = unit_level(
        tmp_path / "shop",
        {"A": binary(100, 1000), "B": binary(140, 1000)},
        assignment="random",
        attributes={"country": countries * 2},
    )
    record = shop.effect("home", by="country")
    assert {one.segment for one in bundle.public(shop, [record])[0].summary.comparisons} == {
        None, "ES", "FR", "MX",
    }  # fmt: skip
    shop.change(smallest_group=50)
    assert {one.segment for one in bundle.public(shop, [record])[0].summary.comparisons} == {None, "ES"}
    with pytest.raises(ProjectError, match="smallest_group"):
        shop.change(smallest_group=1)


def test_the_commands_do_the_same(shop: Project, published: Path) -> None:
    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(main, [*arguments, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    path = str(shop.path)
    listed = run("versions", path)["home"]
    assert [(one["version"], one["current"], one["problem"]) for one in listed] == [
        (2, True, None),
        (1, False, None),
    ]
    assert any("Difference per customer" in line for line in run("compare", path, "home")["moved"])
    assert run("roll-back", path, "home", "1") == {"page": "home", "version": 1}
    assert bundle.current(published, "home") == 1
    run("unpublish", path, "home")
    assert bundle.pages(published) == []
    run("unpublish", path, "home", "--for-good")
    assert run("versions", path) == {}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def record_of(folder: Path) -> Path:
    return next(file for file in folder.glob("*.json") if file.name != "manifest.json")


def link_away(file: Path) -> None:
    """Put a link to a copy outside in its place, whose content could change at any time."""
    elsewhere = file.parents[4] / file.name
    shutil.move(file, elsewhere)
    file.symlink_to(elsewhere)


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def forge(folder: Path) -> None:
    """Change a record and make the manifest fit, as somebody would who knows the form but has no key."""
    record = record_of(folder)
    rewrite(record, '"mean": 0.15', '"mean": 0.25')
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    page = (folder / "index.html").read_bytes()
    old = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    manifest["files"][record.name] = hashlib.sha256(record.read_bytes()).hexdigest()
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(text, "utf-8")
    new = hashlib.sha256(text.encode()).hexdigest()
    (folder / "index.html").write_bytes(page.replace(old.encode(), new.encode()))
