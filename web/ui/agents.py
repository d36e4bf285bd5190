"""Which browser is it? Pure: what a browser says of itself → two words that its owner knows it by."""

# In this order: most say that they are also those that come later.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def browser(agent: str | None) -> str:
    """For example Firefox on Linux; what is not known is told as it is, and nothing as "unknown"."""
    if not agent:
        return "unknown"
    name = next((word for mark, word in _BROWSERS if mark in agent), None)
    system = next((word for mark, word in _SYSTEMS if mark in agent), None)
    return f"{name} on {system}" if name and system else name or agent
