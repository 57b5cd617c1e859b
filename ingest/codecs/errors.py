"""What a codec says of a payload that it cannot read; it raises nothing else."""


class PayloadError(ValueError):
    """A payload that cannot be read: `place` says where in it, `detail` what is wrong and what is expected."""

    def __init__(self, detail: str, place: str = "") -> None:
        self.detail = detail
        self.place = place
        super().__init__(f"{place}: {detail}" if place else detail)
