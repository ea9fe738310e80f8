"""Where a place is on the screen, and which colours are there: what a test with a mouse and eyes needs of a map."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass

from playwright.async_api import Page

# Pixels of a picture that lie near a colour; decoded by the browser itself.
_COUNT = """async ({picture, wanted, within}) => {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
    pen.drawImage(image, 0, 0);
    const {data} = pen.getImageData(0, 0, image.width, image.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
        if (wanted.every((value, part) => Math.abs(value - data[i + part]) <= within)) count += 1;
    return count;
}"""


@dataclass(frozen=True)
class Ground:
    """A map that shows its whole city: the arithmetic of its projection."""

    left: float
    top: float
    width: float
    height: float
    bounds: tuple[float, float, float, float]
    padding: float

    @classmethod
    async def of(cls, page: Page, bounds: tuple[float, float, float, float], padding: float = 24) -> Ground:
        """The map of a page, as it is when it has just opened."""
        box = await page.locator(".map-surface").bounding_box()
        assert box is not None
        return cls(box["x"], box["y"], box["width"], box["height"], bounds, padding)

    def at(self, longitude: float, latitude: float) -> tuple[float, float]:
        """A place in pixels of the page."""
        west, south, east, north = self.bounds
        low, high = _mercator(south), _mercator(north)
        across, up = math.radians(east - west), high - low
        scale = min((self.width - 2 * self.padding) / across, (self.height - 2 * self.padding) / up)
        x = self.left + self.width / 2 + math.radians(longitude - (west + east) / 2) * scale
        y = self.top + self.height / 2 - (_mercator(latitude) - (low + high) / 2) * scale
        return x, y

    async def pixels_near(
        self, page: Page, place: tuple[float, float], colour: tuple[int, int, int], *, reach: int = 30
    ) -> int:
        """How many pixels around a place have nearly that colour."""
        x, y = self.at(*place)
        clip = {"x": x - reach, "y": y - reach, "width": 2 * reach, "height": 2 * reach}
        picture = base64.b64encode(await page.screenshot(clip=clip)).decode()  # type: ignore[arg-type]
        return int(await page.evaluate(_COUNT, {"picture": picture, "wanted": list(colour), "within": 24}))


def _mercator(latitude: float) -> float:
    return math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))
