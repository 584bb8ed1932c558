"""Run folders."""

from hack.demo.folder import run_folder


def test_a_second_demo_gets_a_folder_of_its_own(tmp_path):
    with run_folder(tmp_path / "demo") as first, run_folder(tmp_path / "demo") as second:
        assert (first.name, second.name) == ("demo", "demo-2")


def test_a_later_demo_starts_with_an_empty_folder(tmp_path):
    with run_folder(tmp_path / "demo") as folder:
        (folder / "old").touch()
    with run_folder(tmp_path / "demo") as folder:
        assert folder.name == "demo"
        assert list(folder.iterdir()) == []
