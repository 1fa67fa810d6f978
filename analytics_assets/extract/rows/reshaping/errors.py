"""The error of rows that cannot be made."""

from analytics_assets.extract.http.errors import ApiError


class RowsError(ApiError):
    """The API's answer is not in the form that `rows` of the entry describes."""

    def on(self, page: str) -> "RowsError":
        """Return the error with its page.

        Args:
            page: names the resource and the page.
        """
        return RowsError(f"{page}: {self}.")
