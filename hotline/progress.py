"""Progress that people see while something takes its time; plain lines where there is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from prompts.catalogue import Built, Catalogue
from prompts.catalogue import Progress as Rendered


def build_prompts(catalogue: Catalogue, console: Console | None = None) -> Built:
    """Makes the prompts that are not built yet, with a bar. Raises prompts.catalogue.PromptFailed."""
    shown = console or Console(stderr=True)
    if not catalogue.missing():
        return catalogue.build()
    with _bar(shown) as bar:
        task = bar.add_task("speaking prompts", total=None)

        def rendered(progress: Rendered) -> None:
            bar.update(task, completed=progress.done, total=progress.total)

        return catalogue.build(rendered)


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        yield bar


class Steps:
    """One line for each step of a longer work: what is done now, and when it was."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """Shows `what` while the block runs, then ticks it off; the block may add a remark."""
        remarks: list[str] = []
        with self._console.status(what):
            yield remarks.append
        remark = f" [dim]{', '.join(remarks)}[/dim]" if remarks else ""
        self._console.print(f"[green]✓[/green] {what}{remark}")
