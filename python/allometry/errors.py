"""What can go wrong."""


class AllometryError(RuntimeError):
    """The program refused: `exit_code` says which kind of mistake it was, the text what and how to mend it."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


class Pruned(Exception):
    """Raised by an objective to end its trial early: the trial's value is that of its last step."""
